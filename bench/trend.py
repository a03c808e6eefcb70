"""Whether something that is sampled again and again is flat, or grows.

A line is fitted by least squares. Its slope is known within an interval that is wider the
more neighbouring samples resemble each other (an effective number of samples, by the
correlation of each residual with the next: the usual correction for an AR(1) series).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
import math
from statistics import fmean, quantiles
from typing import Any, Final

_HOUR: Final = 3600.0
_SIGMAS: Final = 2.0
"""About 95 of a hundred intervals so wide hold the true slope."""


@dataclass(frozen=True)
class Trend:
    """A line through a series."""

    mean: float
    slope: float
    """Units an hour."""
    uncertainty: float
    """Half the width of the slope's interval, in units an hour."""
    rise: float
    """What the line gained, from the first sample to the last."""
    swing: float
    """How far the samples lie apart, the line and every tenth at either end taken away: the saw
    of a garbage collector."""

    def grows(self, allowed: float) -> bool:
        """Whether it surely grows by more than so many units an hour.

        What swings more than it rose may be anywhere in its swing.
        """
        return self.slope - self.uncertainty > allowed and self.rise > self.swing

    def as_json(self) -> dict[str, Any]:
        """The line, as it is kept."""
        return {
            "mean": round(self.mean, 3),
            "slope_per_hour": round(self.slope, 3),
            "within": round(self.uncertainty, 3),
            "rise": round(self.rise, 3),
            "swing": round(self.swing, 3),
        }


def fit(times: Sequence[float], values: Sequence[float]) -> Trend:
    """The line through values sampled at times in seconds, at least three of them."""
    at, mean = fmean(times), fmean(values)
    spread = sum((t - at) ** 2 for t in times)
    slope = sum((t - at) * (v - mean) for t, v in zip(times, values, strict=True)) / spread
    residuals = [v - mean - slope * (t - at) for t, v in zip(times, values, strict=True)]
    noise = sum(r * r for r in residuals)
    rise, tenths = slope * (times[-1] - times[0]), quantiles(residuals, n=10)
    swing = tenths[-1] - tenths[0]
    if noise <= 1e-12 * max(1.0, mean * mean):
        return Trend(mean, slope * _HOUR, 0.0, rise, 0.0)
    alike = sum(a * b for a, b in pairwise(residuals)) / noise
    alike = min(max(alike, 0.0), 0.95)
    samples = max(3.0, len(values) * (1 - alike) / (1 + alike))
    deviation = math.sqrt(noise / len(values) / max(1.0, samples - 2) / spread * len(values))
    return Trend(mean, slope * _HOUR, _SIGMAS * deviation * _HOUR, rise, swing)
