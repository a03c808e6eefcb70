"""The web app in a real browser, measured: `python -m bench.page`."""
