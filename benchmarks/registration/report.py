# SPDX-License-Identifier: Apache-2.0
"""Tables as the paper has them, tests and plots, from the CSV of all runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
from cases import unswapped
from scipy.stats import wilcoxon

matplotlib.use("Agg")
import matplotlib.pyplot as plt

Row = dict[str, str]

CONVERGED = (15.0, 5.0, 2.0)
SIGNIFICANCE = 0.01


def _distinct(rows: list[Row], field: str) -> list[str]:
    return list(dict.fromkeys(row[field] for row in rows))


def _bins(rows: list[Row]) -> list[str]:
    return sorted(_distinct(rows, "bin"), key=lambda name: float(name.split("-")[0]))


def _numbers(rows: list[Row], field: str) -> np.ndarray:
    return np.asarray([float(row[field]) for row in rows if row[field] != ""])


def _median(rows: list[Row], field: str, digits: int) -> str:
    values = _numbers(rows, field)
    return f"{np.median(values):.{digits}f}" if values.size else ""


def _where(rows: list[Row], **wanted: str) -> list[Row]:
    return [row for row in rows if all(row[field] == value for field, value in wanted.items())]


def convergence_table(rows: list[Row], limit: float) -> str:
    """Table 3: share of runs that end below a limit, by initial error."""
    bins = _bins(rows)
    lines = [
        f"| method | runs | {' | '.join(f'{b} mm' for b in bins)} | all | time (s) | CPU time (s) | evaluations |",
        "|" + "---|" * (len(bins) + 6),
    ]
    for method in _distinct(rows, "method"):
        own = _where(rows, method=method)
        parts = [_where(own, bin=b) for b in bins]
        shares = [
            f"{100 * (_numbers(part, 'final_mm') < limit).mean():.0f} %" if part else "" for part in [*parts, own]
        ]
        lines.append(
            f"| {method} | {len(own)} | {' | '.join(shares)} | {_median(own, 'seconds', 1)} "
            f"| {_median(own, 'cpu_seconds', 1)} | {_median(own, 'evaluations', 0)} |"
        )
    return "\n".join(lines)


def error_table(rows: list[Row]) -> str:
    """Table 1: mean and quartiles of the final error."""
    lines = ["| method | mean (mm) | 25 % | 50 % | 75 % | 95 % |", "|" + "---|" * 6]
    for method in _distinct(rows, "method"):
        errors = _numbers(_where(rows, method=method), "final_mm")
        quartiles = " | ".join(f"{q:.2f}" for q in np.percentile(errors, (25, 50, 75, 95)))
        lines.append(f"| {method} | {errors.mean():.2f} | {quartiles} |")
    return "\n".join(lines)


def case_table(rows: list[Row], limit: float) -> str:
    """Share of each case's runs that end below a limit, and their median error, to see which are missed."""
    methods = _distinct(rows, "method")
    lines = [f"| case | {' | '.join(methods)} |", "|" + "---|" * (len(methods) + 1)]
    for case in _distinct(rows, "case"):
        errors = [_numbers(_where(rows, case=case, method=method), "final_mm") for method in methods]
        cells = [f"{100 * (e < limit).mean():.0f} %, {np.median(e):.1f}" if e.size else "" for e in errors]
        lines.append(f"| {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_table(rows: list[Row]) -> str:
    """Wilcoxon signed-rank tests of the final errors, method against method over the runs that both did."""
    keyed = {
        method: {(r["case"], r["bin"], r["pose"]): float(r["final_mm"]) for r in _where(rows, method=method)}
        for method in _distinct(rows, "method")
    }
    lines = ["| methods | runs | lower median error | p | differ |", "|" + "---|" * 5]
    for one, other in combinations(keyed, 2):
        shared = sorted(keyed[one].keys() & keyed[other].keys())
        pairs = np.asarray([(keyed[one][key], keyed[other][key]) for key in shared])
        if len(pairs) < 6 or not np.ptp(pairs, axis=1).any():
            continue
        p = float(wilcoxon(pairs[:, 0], pairs[:, 1]).pvalue)
        better = one if np.median(pairs[:, 0]) < np.median(pairs[:, 1]) else other
        verdict = "yes" if p < SIGNIFICANCE else "no"
        lines.append(f"| {one}, {other} | {len(pairs)} | {better} | {p:.2g} | {verdict} |")
    return "\n".join(lines)


def role_table(rows: list[Row], limit: float) -> str:
    """Of the runs that were made in both roles from one start: share below a limit and median error in each.

    The last columns are the median of the swapped error less the other, and how often they differ by more than 2 mm.
    """
    swapped = {_start(row): row for row in rows if unswapped(row["case"]) != row["case"]}
    one = [row for row in rows if unswapped(row["case"]) == row["case"] and _start(row) in swapped]
    if not one:
        return ""
    lines = [
        f"| pairs | method | starts | below {limit:g} mm | swapped | median (mm) | swapped | difference | > 2 mm |",
        "|" + "---|" * 9,
    ]
    for group, method in dict.fromkeys((row["group"], row["method"]) for row in one):
        own = _where(one, group=group, method=method)
        errors = [_numbers(role, "final_mm") for role in (own, [swapped[_start(row)] for row in own])]
        shares = " | ".join(f"{100 * (e < limit).mean():.0f} %" for e in errors)
        medians = " | ".join(f"{np.median(e):.1f}" for e in errors)
        change = errors[1] - errors[0]
        far = f"{100 * (np.abs(change) > 2.0).mean():.0f} %"
        lines.append(f"| {group} | {method} | {len(own)} | {shares} | {medians} | {np.median(change):+.1f} | {far} |")
    return "\n".join(lines)


def _start(row: Row) -> tuple[str, ...]:
    """What the runs of both roles share."""
    return (unswapped(row["case"]), row["method"], row["bin"], row["pose"])


def write_report(rows: list[Row], folder: Path, commands: list[str]) -> None:
    """RESULTS.md and the plots, of the table that these commands made."""
    text = ["# Registration experiments", "", *(f"    {command}" for command in commands)]
    roles = role_table(rows, CONVERGED[0])
    if roles:
        text += ["", "## Both roles", "", "The same starts with fixed and moving image swapped:", "", roles]
    for group in _distinct(rows, "group"):
        own = _where(rows, group=group)
        text += ["", f"## {group}"]
        for limit in CONVERGED:
            text += ["", f"Share of runs that end below {limit:g} mm, by initial error (Table 3), and medians:", ""]
            text.append(convergence_table(own, limit))
        text += ["", "Error at the end (Table 1):", "", error_table(own)]
        text += ["", f"Share below {CONVERGED[0]:g} mm and median error (mm) of each case:", ""]
        text.append(case_table(own, CONVERGED[0]))
        if len(_distinct(own, "method")) > 1:
            text += ["", f"Wilcoxon signed-rank tests at {SIGNIFICANCE}:", "", test_table(own)]
        name = re.sub("[^a-z0-9]+", "-", group.lower())
        _plot(own, folder / f"capture-{name}.png", _capture_curves)
        _plot(own, folder / f"errors-{name}.png", _box_plots)
        text += ["", f"![Capture range](capture-{name}.png) ![Errors](errors-{name}.png)"]
    (folder / "RESULTS.md").write_text("\n".join(text) + "\n")


def _plot(rows: list[Row], path: Path, draw: Callable[[plt.Axes, list[Row]], None]) -> None:
    figure, axes = plt.subplots(figsize=(7, 4.5))
    draw(axes, rows)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _capture_curves(axes: plt.Axes, rows: list[Row]) -> None:
    bins = _bins(rows)
    for method in _distinct(rows, "method"):
        parts = [_where(rows, method=method, bin=b) for b in bins]
        shares = [100 * (_numbers(p, "final_mm") < CONVERGED[0]).mean() if p else np.nan for p in parts]
        axes.plot(bins, shares, marker="o", label=method)
    axes.set(xlabel="initial error (mm)", ylabel=f"below {CONVERGED[0]:g} mm (%)", ylim=(-3, 103))
    axes.legend(fontsize="small")


def _box_plots(axes: plt.Axes, rows: list[Row]) -> None:
    methods = _distinct(rows, "method")
    axes.boxplot([_numbers(_where(rows, method=m), "final_mm") for m in methods])
    axes.set_xticks(range(1, len(methods) + 1), methods, rotation=30, ha="right")
    axes.set(yscale="log", ylabel="final error (mm)")
