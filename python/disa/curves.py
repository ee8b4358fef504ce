"""A metric's values over the iterations as a picture in SVG."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 60, 10, 12, 34
"""Pixels of the picture, and about its axes."""

COLOURS = ("#9aa4b2", "#ff8c00", "#5fa8ff", "#3fb26b")


def draw_curve(segments: Sequence[Sequence[float]]) -> str:
    """Values against iterations, the segments one after the other, each in a colour of its own.

    Args:
        segments: of one value or more each.

    Returns:
        An <svg> element that needs nothing else.
    """
    values = [value for segment in segments for value in segment]
    low, high = min(values), max(values)
    height = max(high - low, 1e-6)
    steps = max(len(values) - 1, 1)

    def place(index: int, value: float) -> str:
        x = LEFT + (WIDTH - LEFT - RIGHT) * index / steps
        y = TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / height
        return f"{x:.1f},{y:.1f}"

    lines, first = [], 0
    for number, segment in enumerate(segments):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(place(first + i, value) for i, value in enumerate(segment))
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        last = place(first + len(segment) - 1, segment[-1]).split(",")
        lines.append(f'<circle cx="{last[0]}" cy="{last[1]}" r="3" fill="{colour}"/>')
        first += len(segment)
    floor = HEIGHT - BOTTOM
    return "\n".join(
        [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="metric value by iteration">',
            f'<path d="M{LEFT},{TOP} V{floor} H{WIDTH - RIGHT}" fill="none" stroke="#333a44"/>',
            *lines,
            f'<text x="{LEFT - 6}" y="{TOP + 5}" text-anchor="end">{high:.4f}</text>',
            f'<text x="{LEFT - 6}" y="{floor + 5}" text-anchor="end">{low:.4f}</text>',
            f'<text x="{LEFT}" y="{HEIGHT - 10}">0</text>',
            f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">{steps} iterations</text>',
            "</svg>",
        ]
    )
