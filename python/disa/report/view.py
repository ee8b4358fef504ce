# SPDX-License-Identifier: Apache-2.0
"""What the page's viewer draws: a pair as pictures, with where they lie, in so many bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from disa.geometry.grid import Grid
from disa.report.deformed import Deformation, deformation_of
from disa.report.display import ByteArray, Display, Pair, displayed, turn_from_patient
from disa.report.intensities import Coding
from disa.report.pictures import Mosaic, data_uri, jpeg, mosaic, png
from disa.report.preview import preview

MOST_VOXELS = 3e6
"""Of a volume on a page, so that it is drawn at once."""
MOST_BYTES = 1_150_000
"""Of the pictures of a page's volumes; as text they are a third longer."""
GOOD, BETTER = 75, 90
"""Qualities of JPEGs."""
GROWTH = 1.7
"""A better JPEG's bytes by a good one's, about."""


@dataclass(frozen=True)
class View:
    """A pair, drawn.

    Attributes:
        data: what the viewer's scripts read: numbers, texts, lists and dictionaries. Lengths are mm, points and vectors
            LPS in the order (x, y, z).
        preview: a JPEG that needs no script.
        notes: how the images are shown, a sentence each.
    """

    data: dict[str, Any]
    preview: bytes
    notes: tuple[str, ...]


def draw(pair: Pair) -> View:
    """The pair as pictures."""
    display, pictures = compact(pair)
    data: dict[str, Any] = {
        **_place(display.grid, mosaic(display.volumes["fixed"])),
        "volumes": {name: data_uri(picture) for name, picture in pictures.items()},
        "codings": {name: _coding(coding) for name, coding in display.codings.items()},
    }
    if pair.field is not None:
        data["deformation"] = _deformation(deformation_of(pair.field, pair.fixed, pair.disagreement))
    return View(data, preview(display), tuple(_notes(pair, display)))


def compact(pair: Pair) -> tuple[Display, dict[str, bytes]]:
    """The pair on the finest grid that the page has room for, and its volumes as JPEGs."""
    voxels = MOST_VOXELS
    while True:
        display = displayed(pair, voxels)
        pictures = _jpegs(display, GOOD)
        size = _total(pictures)
        if size <= MOST_BYTES:
            break
        voxels = 0.9 * min(voxels, display.volumes["fixed"].size) * MOST_BYTES / size
    if GROWTH * size <= MOST_BYTES:
        better = _jpegs(display, BETTER)
        pictures = better if _total(better) <= MOST_BYTES else pictures
    return display, pictures


def _jpegs(display: Display, quality: int) -> dict[str, bytes]:
    return {name: jpeg(mosaic(volume).pixels, quality) for name, volume in display.volumes.items()}


def _total(pictures: dict[str, bytes]) -> int:
    return sum(len(picture) for picture in pictures.values())


def _place(grid: Grid, slices: Mosaic) -> dict[str, Any]:
    return {
        "size": list(grid.size),
        "spacing": grid.spacing.tolist(),
        "origin": grid.origin.tolist(),
        "columns": slices.columns,
        "tile": [slices.width, slices.height],
    }


def _coding(coding: Coding) -> dict[str, Any]:
    return {"knots": coding.knots, "windows": [asdict(window) for window in coding.windows], "isCT": coding.is_ct}


def _deformation(deformation: Deformation) -> dict[str, Any]:
    def lossless(volume: ByteArray) -> dict[str, Any]:
        slices = mosaic(volume)
        return {**_place(deformation.grid, slices), "picture": data_uri(png(slices.pixels))}

    shown = {
        "displacements": lossless(deformation.displacements),
        "largest": deformation.largest,
        "determinants": lossless(deformation.determinants),
    }
    if deformation.disagreements is not None:
        shown["disagreements"] = lossless(deformation.disagreements)
    return shown


def _notes(pair: Pair, display: Display) -> Iterator[str]:
    own = Grid.of(pair.fixed)
    shown, stored = (" x ".join(f"{s:.2g}" for s in grid.spacing) for grid in (display.grid, own))
    yield f"Shown in steps of {shown} mm, right to left, front to back, foot to head; stored with {stored} mm."
    turn = turn_from_patient(own)
    if turn:
        yield f"The fixed image is turned by {turn:.0f}° from the patient's axes; the slices here lie along these axes."
    if any(coding.is_ct for coding in display.codings.values()):
        yield "Taken for CT by its intensities: " + " and ".join(n for n, c in display.codings.items() if c.is_ct) + "."
    if pair.field is not None:
        yield "The grid shows where the deformation takes a regular grid of the fixed image, without the pose."
