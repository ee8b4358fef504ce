"""Draw a training log: python -m disa.training.plot LOG -o PICTURE."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from matplotlib.figure import Figure

from disa.training.files import write
from disa.training.log import Log

LINES = {
    "train_error": "training, augmented",
    "cells_error": "held out, patch by patch",
    "shifted_error": "held out, between cells of shifted grids",
    "turned_error": "held out, grids turned up to 30°",
}


def draw(rows: list[dict[str, str]]) -> bytes:
    """A PNG of the errors over the steps of training.

    Args:
        rows: of a log, one at least.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    steps = [int(row["step"]) for row in rows]
    for column, label in LINES.items():
        axes.plot(steps, [float(row[column]) for row in rows], marker="o", markersize=3, label=label)
    hours = float(rows[-1]["seconds"]) / 3600
    axes.set(xlabel=f"step (the last after {hours:.2g} hours)", ylabel="mean squared error, all bins alike")
    axes.set(yscale="log", xlim=(0, None))
    axes.grid(which="both", alpha=0.3)
    axes.legend()
    picture = io.BytesIO()
    figure.savefig(picture, dpi=150)
    return picture.getvalue()


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("training_curve.png"))
    arguments = parser.parse_args()
    write(arguments.output, draw(Log(arguments.log.read_text()).rows))


if __name__ == "__main__":
    main()
