# SPDX-License-Identifier: Apache-2.0
"""Tables of the runs, from their CSV."""

from __future__ import annotations

import numpy as np
from resumable import Row

LIMITS = (2.0, 5.0, 10.0, 15.0)
WRONG = 10.0
"""mm off from which a result should carry a doubt."""


def part_tables(rows: list[Row]) -> list[str]:
    """A Markdown table of each part."""
    tables = []
    for part in dict.fromkeys(row["part"] for row in rows):
        own = [row for row in rows if row["part"] == part]
        tables.append(f"**{part}**\n\n{_dice_table(own) if own[0]['dice'] else _error_table(own)}")
    return tables


def _error_table(rows: list[Row]) -> str:
    below = " | ".join(f"below {limit:g} mm" for limit in LIMITS)
    lines = [
        f"| pairs | role | start (mm) | runs | error before (mm) | after | {below} | to the headers | doubted |",
        "|" + "---|" * (8 + len(LIMITS)),
    ]
    keys = ("group", "bin", "role")
    for key in sorted({tuple(row[column] for column in keys) for row in rows}, key=_by_number):
        own = [row for row in rows if tuple(row[column] for column in keys) == key]
        initial, final, headers = (_numbers(own, name) for name in ("initial_mm", "final_mm", "headers_mm"))
        shares = " | ".join(_share(final < limit) for limit in LIMITS)
        lines.append(
            f"| {key[0]} | {key[2]} | {key[1]} | {len(own)} | {np.median(initial):.1f} | {np.median(final):.1f} "
            f"| {shares} | {np.median(headers):.1f} | {_share(_doubted(own))} |"
        )
    return "\n".join(lines)


def _by_number(key: tuple[str, ...]) -> tuple[str, float, str]:
    """Group, least mm of the bin, role."""
    group, start, role = key
    return group, -1.0 if start == "headers" else float(start.split("-")[0]), role


def _dice_table(rows: list[Row]) -> str:
    lines = ["| case | role | Dice by the headers | registered | doubted |", "|" + "---|" * 5]
    for row in rows:
        dice = " | ".join(f"{float(row[name]):.3f}" for name in ("headers_dice", "dice"))
        lines.append(f"| {row['case']} | {row['role']} | {dice} | {'yes' if row['doubts'] == 'True' else 'no'} |")
    return "\n".join(lines)


def doubt_table(rows: list[Row]) -> str:
    """Of each part and of all: how many that are off carry a doubt, how many that are not carry none."""
    known = [row for row in rows if row["final_mm"]]
    lines = [
        f"| part | off by more than {WRONG:g} mm | with a doubt | confidence | nearer | without a doubt | confidence |",
        "|" + "---|" * 7,
    ]
    for part in [*dict.fromkeys(row["part"] for row in known), "all"]:
        own = [row for row in known if part in (row["part"], "all")]
        wrong = _numbers(own, "final_mm") > WRONG
        off, near = ([row for row, w in zip(own, wrong, strict=True) if w == is_off] for is_off in (True, False))
        lines.append(
            f"| {part} | {len(off)} | {_share(_doubted(off))} | {_confidence(off)} "
            f"| {len(near)} | {_share(~_doubted(near))} | {_confidence(near)} |"
        )
    return "\n".join(lines)


def _confidence(rows: list[Row]) -> str:
    """The median, where results have one."""
    values = _numbers([row for row in rows if row["confidence"]], "confidence")
    return f"{np.median(values):.2f}" if values.size else ""


def _doubted(rows: list[Row]) -> np.ndarray:
    return np.asarray([row["doubts"] == "True" for row in rows], dtype=bool)


def _share(chosen: np.ndarray) -> str:
    return f"{100 * chosen.mean():.0f} %" if chosen.size else ""


def _numbers(rows: list[Row], field: str) -> np.ndarray:
    return np.asarray([float(row[field]) for row in rows])
