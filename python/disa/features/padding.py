# SPDX-License-Identifier: Apache-2.0
"""Where a volume was filled up with one value, as resampling onto a turned grid does, and where it was not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.geometry.grid import Grid
from disa.geometry.pixels import pixels_of

FloatArray = npt.NDArray[np.float64]

LONGEST = 96
"""Voxels along an axis that are looked at, at most."""

LEAST_SHARE = 0.02
"""Of the volume's faces that is of one value before it may be padding, and of its border that a plane must explain."""

BLUR = 1.5
"""Voxels, of the Gaussian that normals of the border are taken after."""

PARALLEL = 0.98
"""Cosine of normals that belong to one plane."""

NEAR = 1.0
"""Voxels from a plane within which its border lies."""

FLAT = 0.9
"""Share of the section 5 voxels behind a plane that the section next to it has. A cut through an image has all; a body
that bends away, such as a limb, has two thirds or less."""

CANDIDATES = 48
MAXIMUM_PLANES = 6


class Plane(NamedTuple):
    """The half space normal . x <= offset, x in mm along the image's own axes from its first voxel."""

    normal: FloatArray
    offset: float


def seen_part(image: sitk.Image) -> sitk.Image | None:
    """8-bit image, not 0 where the volume holds what was imaged; None: everywhere.

    A volume that was turned, sheared or moved onto its grid ends at planes, beyond which all is of one value. The edge
    there is the strongest structure in the volume, and no other image has it. The outline of a body bends, so it stays.

    Args:
        image: 3-D.
    """
    pixels = pixels_of(image)
    value = _value_of_faces(pixels)
    if value is None:
        return None
    steps = [-(-n // LONGEST) for n in pixels.shape]
    known = pixels[tuple(slice(None, None, step) for step in steps)] != value
    spacing = np.asarray(image.GetSpacing()) * steps[::-1]
    planes = _planes_of(known, spacing)
    if not planes:
        return None
    inside = np.ones(pixels.shape, bool)
    margin = 0.5 * float(spacing.max())
    for plane in planes:
        inside &= _is_below(plane, margin, pixels.shape, np.asarray(image.GetSpacing()))
    return Grid.of(image).image_of(inside.astype(np.uint8)) if inside.any() else None


def volume_of(image: sitk.Image, seen: sitk.Image | None) -> float:
    """mm^3 of what an image shows.

    Args:
        image: any.
        seen: its `seen_part`.
    """
    count = image.GetNumberOfPixels() if seen is None else int(np.count_nonzero(pixels_of(seen)))
    return count * float(np.prod(image.GetSpacing()))


def _value_of_faces(pixels: npt.NDArray[np.float32]) -> float | None:
    """The value that most voxels of the faces have, if it is many of them."""
    faces = np.concatenate([np.take(pixels, end, axis).ravel() for axis in range(3) for end in (0, -1)])
    values, counts = np.unique(faces, return_counts=True)
    return float(values[counts.argmax()]) if counts.max() >= LEAST_SHARE * faces.size else None


def _heights(plane: Plane, shape: tuple[int, ...], spacing: FloatArray) -> tuple[FloatArray, FloatArray]:
    """mm above a plane: of each row of voxels where it begins, shape (z, y), and what each voxel of it adds, (x,)."""
    x, y, z = (plane.normal[axis] * spacing[axis] * np.arange(shape[2 - axis]) for axis in range(3))
    return z[:, None] + y - plane.offset, x


def _is_below(plane: Plane, depth: float, shape: tuple[int, ...], spacing: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether a voxel lies so many mm below a plane or deeper, shape (z, y, x)."""
    rows, along = _heights(plane, shape, spacing)
    below: npt.NDArray[np.bool_] = along <= (-depth - rows)[..., None]
    return below


def _planes_of(known: npt.NDArray[np.bool_], spacing: FloatArray) -> list[Plane]:
    """Planes that known voxels end at."""
    points, normals = _border_of(known, spacing)
    enough = max(40, LEAST_SHARE * len(points))
    generator = np.random.default_rng(0)
    planes: list[Plane] = []
    for _ in range(2 * MAXIMUM_PLANES):
        if len(points) < enough or len(planes) == MAXIMUM_PLANES:
            break
        belongs, plane = _largest_plane(points, normals, float(spacing.max()), generator)
        if belongs.sum() < enough:
            break
        if _is_cut(known, plane, spacing):
            planes.append(plane)
        points, normals = points[~belongs], normals[~belongs]
    return planes


def _border_of(known: npt.NDArray[np.bool_], spacing: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points on the border of what is known, mm along the axes, and normals there, outwards; both (n, 3)."""
    if min(known.shape) < 8:
        return np.zeros((0, 3)), np.zeros((0, 3))
    indicator = sitk.DiscreteGaussian(sitk.GetImageFromArray(known.astype(np.float32)), [BLUR**2] * 3, 16, 0.01, False)
    smooth = pixels_of(indicator)
    inner = np.zeros(known.shape, bool)
    inner[3:-3, 3:-3, 3:-3] = True
    z, y, x = np.nonzero((np.abs(smooth - 0.5) < 0.25) & inner)
    slopes = np.stack(
        [
            (
                smooth[tuple(at + step for at, step in zip((z, y, x), ahead, strict=True))]
                - smooth[tuple(at - step for at, step in zip((z, y, x), ahead, strict=True))]
            )
            / spacing[axis]
            for axis, ahead in enumerate(((0, 0, 1), (0, 1, 0), (1, 0, 0)))
        ],
        axis=1,
    ).astype(np.float64)
    length = np.linalg.norm(slopes, axis=1)
    steep = length > 0
    points = np.stack([x, y, z], axis=1) * spacing
    return points[steep], -slopes[steep] / length[steep, None]


def _largest_plane(
    points: FloatArray, normals: FloatArray, voxel: float, generator: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], Plane]:
    """The plane that most of the border lies on, and which points do."""

    def on(plane: Plane) -> npt.NDArray[np.bool_]:
        distance = np.abs(points @ plane.normal - plane.offset)
        return (distance < NEAR * voxel) & (normals @ plane.normal > PARALLEL)

    drawn = generator.integers(len(points), size=CANDIDATES)
    candidates = [Plane(normals[i], float(points[i] @ normals[i])) for i in drawn]
    plane = max(candidates, key=lambda candidate: int(on(candidate).sum()))
    for _ in range(4):
        belongs = on(plane)
        if belongs.sum() < 3:
            break
        centre = points[belongs].mean(axis=0)
        normal = np.linalg.svd(points[belongs] - centre, full_matrices=False)[2][-1]
        normal = normal * np.sign(normal @ plane.normal)
        plane = Plane(normal, float(centre @ normal))
    return on(plane), plane


def _is_cut(known: npt.NDArray[np.bool_], plane: Plane, spacing: FloatArray) -> bool:
    """Whether nothing is known beyond a plane, and what is known ends at it as if it were cut."""
    rows, along = _heights(plane, known.shape, spacing)
    height = (rows[..., None] + along) / float(spacing.max())
    beyond = int(np.count_nonzero(known & (height > 1.5)))
    next_to, behind = (
        int(np.count_nonzero(known & (height <= -depth) & (height > -depth - 2))) for depth in (0.5, 4.5)
    )
    return beyond <= 1e-3 * known.sum() and next_to >= FLAT * behind
