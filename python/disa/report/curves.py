# SPDX-License-Identifier: Apache-2.0
"""A metric's values over the iterations as a picture in SVG."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 240, 190
TOP, BOTTOM, SIDE = 24, 44, 12
"""Pixels of a panel, and about its curve."""


def draw_curves(runs: Sequence[Sequence[float]]) -> str:
    """Values against iterations, a panel for each run, from the first value to the last on a scale of its own.

    Args:
        runs: of one value or more each.

    Returns:
        An <svg> element that needs nothing else.
    """
    width = WIDTH * len(runs)
    panels = "\n".join(_panel(values, WIDTH * index) for index, values in enumerate(runs))
    return (
        f'<svg viewBox="0 0 {width} {HEIGHT}" style="max-width: {width}px" role="img" '
        f'aria-label="metric value by iteration">\n{panels}\n</svg>'
    )


def _panel(values: Sequence[float], left: int) -> str:
    low, height = min(values), max(max(values) - min(values), 1e-6)
    steps = max(len(values) - 1, 1)
    floor, begin, end = HEIGHT - BOTTOM, left + SIDE, left + WIDTH - SIDE
    points = [
        f"{begin + (end - begin) * i / steps:.1f},{floor - (floor - TOP) * (value - low) / height:.1f}"
        for i, value in enumerate(values)
    ]
    x, y = points[-1].split(",")
    return "\n".join(
        [
            f'<path d="M{begin},{TOP} V{floor} H{end}" fill="none" class="axes"/>',
            f'<polyline points="{" ".join(points)}" fill="none" class="curve" stroke-width="2"/>',
            f'<circle cx="{x}" cy="{y}" r="3" class="end"/>',
            f'<text x="{begin}" y="{TOP - 8}">{values[0]:.4f}</text>',
            f'<text x="{end}" y="{floor + 16}" text-anchor="end">{values[-1]:.4f}</text>',
            f'<text x="{begin}" y="{floor + 34}">{len(values) - 1} iterations</text>',
        ]
    )
