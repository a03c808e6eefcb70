"""What is run while developing: contracts are checked here and published.

`python -m tools.proto` brings `gen/` up to date with `proto/`.
"""
