# SPDX-License-Identifier: Apache-2.0
"""Draw a training log: python -m disa.training.run.plot LOG -o PICTURE."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from disa.training.files import write
from disa.training.run.log import Log

LINES = {
    "train_error": "training, augmented",
    "cells_error": "held out, patch by patch",
    "shifted_error": "held out, between cells of shifted grids",
    "turned_error": "held out, grids turned up to 30°",
    "pairs_error": "held out, the paper's pairs",
}
#: On an axis of their own.
POSE_LINES = {
    "train_pose_error": "training, poses",
    "near_pose_error": "held out, near poses",
    "far_pose_error": "held out, far poses",
}


def draw(rows: list[dict[str, str]]) -> bytes:
    """A PNG of the errors over the steps of training.

    Args:
        rows: of a log, one at least.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    _plot(axes, rows, LINES, "-")
    if any(row.get(column) for row in rows for column in POSE_LINES):
        beside = axes.twinx()
        beside.set(ylabel="cross-entropy of poses")
        _plot(beside, rows, POSE_LINES, "--")
    minutes = float(rows[-1]["seconds"]) / 60
    axes.set(xlabel=f"step, the last after {minutes:.3g} minutes", ylabel="mean squared error, bins alike")
    axes.set(yscale="log", xlim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 4, 6, 8)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=150)
    return picture.getvalue()


def _plot(axes: Axes, rows: list[dict[str, str]], lines: dict[str, str], style: str) -> None:
    for column, label in lines.items():
        there = [row for row in rows if row.get(column)]
        if there:
            steps, values = [int(row["step"]) for row in there], [float(row[column]) for row in there]
            axes.plot(steps, values, style, marker="o", markersize=3, label=label)


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("training_curve.png"))
    arguments = parser.parse_args()
    write(arguments.output, draw(Log(arguments.log.read_text()).rows))


if __name__ == "__main__":
    main()
