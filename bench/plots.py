"""`python -m bench.plots`: draws what `bench/results` holds, for docs/figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report import RESULTS

FIGURES: Final = Path(__file__).parents[1] / "docs" / "figures"
_INK: Final = "#7d746b"
"""Read on white and on black."""
_SENDS: Final = (
    ("send, bidi", "#c4552d", "Creavio, over a stream"),
    ("send, unary", "#d99a2b", "Creavio, a call each"),
    ("echo, bidi", "#3f7f8f", "bare gRPC, over a stream"),
    ("echo, unary", "#8fb3ba", "bare gRPC, a call each"),
)
_CALLS: Final = ("call, REST", "call, gRPC-Web", "call, gRPC", "call, REST by FastAPI")


def main() -> None:
    """Draw them all."""
    mpl.rcParams |= {
        "svg.fonttype": "none",
        "svg.hashsalt": "creavio",
        "font.family": "sans-serif",
        "font.size": 9,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
    }
    rows = json.loads((RESULTS / "latest.json").read_text())["rows"]
    FIGURES.mkdir(exist_ok=True)
    _keep("sends", _sends(rows))
    _keep("edge", _edge(rows))
    _keep("soak", _soak(json.loads((RESULTS / "soak.json").read_text())))


def _sends(rows: list[dict[str, Any]]) -> Figure:
    """What a send costs, and how long it takes, against the number who send at once."""
    figure = Figure((7.2, 3.0), layout="constrained")
    cost, wait = figure.subplots(1, 2)
    for name, color, label in _SENDS:
        found = sorted(
            (int(row["load"].split()[0]), row["cpu_us_per_operation"], row["p50_ms"])
            for row in rows
            if row["name"] == name
        )
        senders = [one[0] for one in found]
        style = "-o" if name.startswith("send") else "--o"
        cost.plot(senders, [one[1] for one in found], style, color=color, label=label, ms=3)
        wait.plot(senders, [one[2] for one in found], style, color=color, ms=3)
    _scaled(cost, "CPU of all processes, µs a message")
    _scaled(wait, "answered after, ms (p50)")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def _edge(rows: list[dict[str, Any]]) -> Figure:
    """What a small call costs what stands in front of the service, and the service."""
    figure = Figure((7.2, 1.9), layout="constrained")
    axes = figure.subplots()
    found = {row["name"]: row for row in rows}
    names = [name for name in reversed(_CALLS) if name in found]
    front = [found[name]["front_us"] for name in names]
    behind = [found[name]["user_us"] for name in names]
    labels = [name.removeprefix("call, ") for name in names]
    axes.barh(labels, front, color="#c4552d", label="in front: Envoy, or FastAPI", height=0.6)
    axes.barh(labels, behind, left=front, color="#3f7f8f", label="the service", height=0.6)
    axes.set_xlabel("CPU, µs a call")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _soak(kept: dict[str, Any]) -> Figure:
    """What each part has of memory while it is used."""
    figure = Figure((7.2, 3.4), layout="constrained")
    axes = figure.subplots()
    minutes = [seconds / 60 for seconds in kept["times"]]
    colors = mpl.colormaps["tab20b"]
    by_size = sorted(kept["memory"].items(), key=lambda one: -one[1][-1])
    for number, (name, values) in enumerate(by_size):
        axes.plot(minutes, values, color=colors(number), label=name, lw=1.2)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes")
    axes.set_ylabel("memory of its own, MiB")
    axes.grid(visible=True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right center", frameon=False)
    return figure


def _scaled(axes: Axes, label: str) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("senders at once")
    axes.set_ylabel(label)
    ticks = [1, 8, 64, 256]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.grid(visible=True, which="major", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _keep(name: str, figure: Figure) -> None:
    figure.savefig(FIGURES / f"{name}.svg", transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    main()
