"""Draw a training log: python -m disa.training.plot LOG -o PICTURE."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from matplotlib.figure import Figure

LINES = {
    "train_error": "training, augmented",
    "cells_error": "unseen CT/T1, patch by patch",
    "shifted_error": "unseen CT/T1, between cells of shifted grids",
    "turned_error": "unseen CT/T1, grids turned up to 30°",
}


def draw(log: Path, picture: Path) -> None:
    """Write a picture of the errors over minutes of training."""
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    minutes = [float(row["seconds"]) / 60 for row in rows]
    for column, label in LINES.items():
        axes.plot(minutes, [float(row[column]) for row in rows], label=label)
    axes.set(xlabel="minutes on one GPU", ylabel="mean squared error, LC² bins alike", yscale="log")
    axes.grid(which="both", alpha=0.3)
    axes.legend()
    figure.savefig(picture, dpi=150)


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("training_curve.png"))
    arguments = parser.parse_args()
    draw(arguments.log, arguments.output)


if __name__ == "__main__":
    main()
