# SPDX-License-Identifier: Apache-2.0
"""Success and time of DISA's global search as its starts go from 10 to 2,000 and its sampled points from 128 to all.

    python benchmarks/registration/starts.py FOLDER --output RUNS [--layout eval] [--roles both] [--poses 4] [...]

From poses that are 75 to 100 mm off. Resumable as run.py; prints a table and writes RUNS/starts.png. *Search* is the
time of the search alone, on the threads of one process.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import matplotlib
import numpy as np
from cases import unswapped
from command import cases_of, parser_of, rows_of, run_missing
from methods import SAMPLES_SWEEP, STARTS_SWEEP
from runs import Row

matplotlib.use("Agg")
import matplotlib.pyplot as plt

EDGES = (75.0, 100.0)
LIMIT = 15.0


def summary(rows: list[Row], methods: list[str]) -> list[tuple[str, int, float, float, float, float]]:
    """Of each method: runs, share below the limit, median error, median seconds of the search and of it all."""
    found = []
    for method in methods:
        own = [row for row in rows if row["method"] == method]
        if own:
            errors, search, seconds = (
                np.asarray([float(row[field]) for row in own]) for field in ("final_mm", "search_seconds", "seconds")
            )
            medians = (float(np.median(values)) for values in (errors, search, seconds))
            found.append((method, len(own), float((errors < LIMIT).mean()), *medians))
    return found


def by_role(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows in the roles of the layout, and those in the other ones."""
    parts: dict[str, list[Row]] = {"as it was": [], "swapped": []}
    for row in rows:
        parts["as it was" if unswapped(row["case"]) == row["case"] else "swapped"].append(row)
    return parts


def main() -> None:
    parser = parser_of(__doc__, poses=4)
    arguments = parser.parse_args()
    cases = cases_of(parser, arguments)
    sweeps = {"starts": list(STARTS_SWEEP), "points of a descriptor grid": list(SAMPLES_SWEEP)}
    run_missing(arguments, cases, [*STARTS_SWEEP, *SAMPLES_SWEEP], EDGES, 500)
    rows = rows_of(parser, arguments)
    print(f"| | roles | runs | below {LIMIT:g} mm | median error (mm) | search (s) | in all (s) |\n|{'---|' * 7}")
    figure, plots = plt.subplots(1, len(sweeps), figsize=(11, 4), layout="constrained")
    for axes, (label, methods) in zip(plots, sweeps.items(), strict=True):
        axes.set(xlabel=label, ylim=(-3, 103))
        axes.set_ylabel(f"below {LIMIT:g} mm (%)", color="C0")
        times = axes.twinx()
        times.set_yscale("log")
        times.set_ylabel("search (s)", color="C1")
        for (role, own), line in zip(by_role(rows).items(), ("-", ":"), strict=True):
            found = summary(own, methods)
            for method, runs, share, error, search, seconds in found:
                print(
                    f"| {method} | {role} | {runs} | {100 * share:.0f} % | {error:.1f} | {search:.3f} | {seconds:.1f} |"
                )
            places = [methods.index(name) for name, *_ in found]
            axes.plot(places, [100 * share for _, _, share, *_ in found], "o", linestyle=line, color="C0", label=role)
            times.plot(places, [search for *_, search, _ in found], "s", linestyle=line, color="C1")
        axes.set_xticks(range(len(methods)), [name.split()[0] for name in methods])
        axes.legend(fontsize="small", loc="lower right")
    figure.savefig(arguments.output / "starts.png", dpi=110)


if __name__ == "__main__":
    main()
