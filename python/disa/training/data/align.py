# SPDX-License-Identifier: Apache-2.0
"""Volumes of one group brought to one another by mutual information, for losses that go by places.

    python -m disa.training.data.align FOLDER --groups TABLE -o ALIGNED

World space is worth little as a reference: people move between two series of one session. Here each volume of a group
whose tolerance is 0 is registered rigidly to the group's first one. ALIGNED/aligned.csv is the table with a column
`transform`, and ALIGNED has the files that it names. Where the starts do not agree a line says so, and the volume gets
`--tolerance`. Look at some of them before you trust the others.

Source: Mattes et al., IEEE TMI 22(1), 120-128, 2003.
"""

# SimpleITK has no types.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from disa.errors import ConfigError, DISAError
from disa.io.images import load_image
from disa.training.config import TrainingConfig
from disa.training.data.catalog import Source, find_sources
from disa.training.data.prepare import resample

BINS, SAMPLES, STEPS = 50, 0.3, 100

PUSHES = ((0.0, 0.0), (1.0, 2.0), (-1.0, -2.0))
"""Degrees and mm along each axis that starts are off."""

AGREED = 0.5
"""mm between ends that are the same, mean over places of the volume."""

COLUMNS = ("file", "modality", "subject", "group", "split", "tolerance", "transform")


@dataclass(frozen=True)
class Aligned:
    """How a volume lies.

    Attributes:
        transform: from points of the group's first volume to points of this one.
        moved: mm by which it was off, mean over places.
        apart: mm between the ends of the starts, the largest.
    """

    transform: sitk.Euler3DTransform
    moved: float
    apart: float


def align(reference: sitk.Image, image: sitk.Image) -> Aligned:
    """Register a volume rigidly to another of its group.

    Args:
        reference: the group's first volume.
        image: another one.
    """
    places = _places(reference)
    ends = [_registered(reference, image, *push) for push in PUSHES]
    best = min(ends, key=lambda end: end[0])[1]
    moved = _moved(best, places)
    return Aligned(best, _apart(moved, places), max(_apart(_moved(end, places), moved) for _, end in ends))


def _places(image: sitk.Image) -> NDArray[np.float64]:
    """Eight about the middle of an image, mm."""
    shares = np.stack(np.meshgrid(*[(0.25, 0.75)] * 3), axis=-1).reshape(-1, 3)
    indices = shares * (np.asarray(image.GetSize()) - 1)
    return np.array([image.TransformContinuousIndexToPhysicalPoint(index) for index in indices.tolist()])


def _moved(transform: sitk.Transform, places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([transform.TransformPoint(place) for place in places.tolist()])


def _apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(one - other, axis=1).mean())


def _registered(
    fixed: sitk.Image, moving: sitk.Image, degrees: float, mm: float
) -> tuple[float, sitk.Euler3DTransform]:
    transform = sitk.Euler3DTransform()
    transform.SetCenter(_places(fixed).mean(axis=0).tolist())
    transform.SetParameters([np.deg2rad(degrees)] * 3 + [mm] * 3)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(SAMPLES)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 0.005, STEPS, relaxationFactor=0.5)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([2.0, 0.0])
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed, moving)
    return method.GetMetricValue(), transform


def align_groups(sources: list[Source], folder: Path, tolerance: float) -> dict[str, tuple[str, float]]:
    """File of the transform and tolerance of each volume that is not a group's first one, by its name.

    Args:
        sources: the volumes; of groups those whose tolerance is 0 are moved.
        folder: where transforms are written.
        tolerance: mm, of a volume whose starts do not agree.
    """
    groups: dict[str, list[Source]] = {}
    for source in sources:
        if source.info.group and source.info.tolerance == 0:
            groups.setdefault(source.info.group, []).append(source)
    found = {}
    for group, (first, *others) in groups.items():
        reference = resample(load_image(first.path))
        for other in others:
            name = other.info.name
            aligned = align(reference, resample(load_image(other.path)))
            is_found = aligned.apart < AGREED
            left = "" if is_found else f"; starts end {aligned.apart:.1f} mm apart, so it is left as it is"
            print(f"{group}: {name}: {aligned.moved:.2f} mm off{left}", flush=True)
            if is_found:
                sitk.WriteTransform(aligned.transform, str(folder / f"{name}.tfm"))
            found[name] = (f"{name}.tfm", 0.0) if is_found else ("", tolerance)
    return found


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", help="folder with the volumes")
    parser.add_argument("--groups", required=True, help="table of the volumes; see disa.training.data.catalog")
    parser.add_argument("--tolerance", type=float, default=9.0, help="mm, where the starts do not agree")
    parser.add_argument("-o", "--output", type=Path, required=True, help="new folder for the table and the transforms")
    arguments = parser.parse_args()
    try:
        sources = find_sources(TrainingConfig(images=arguments.images, groups=arguments.groups))
        if arguments.output.exists():
            raise ConfigError(f"{arguments.output}: is there already; give a new folder")
        arguments.output.mkdir(parents=True)
        found = align_groups(sources, arguments.output, arguments.tolerance)
    except DISAError as error:
        raise SystemExit(str(error)) from None
    with (arguments.output / "aligned.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for source in sources:
            of = source.info
            transform, tolerance = found.get(of.name, ("", of.tolerance))
            path = source.path.relative_to(arguments.images)
            writer.writerow((path, of.modality, of.subject, of.group, of.split, f"{tolerance:g}", transform))


if __name__ == "__main__":
    main()
