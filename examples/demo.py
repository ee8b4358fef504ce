# SPDX-License-Identifier: Apache-2.0
"""Registers a real MR to a second modality through ITK's own method, after a known displacement.

    python examples/demo.py --output demo-output

Fixed: the ICBM152 T1 template that nilearn ships, an average of 152 real scans. Moving: a SIMULATED T2-weighted volume
of the same anatomy (grey and white matter maps mixed with T2's contrast, coil shading, noise, 1.5 mm voxels), turned by
about 15 degrees and shifted by about 30 mm.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt

import itk

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FloatArray = npt.NDArray[np.float64]
ImageType = itk.Image[itk.F, 3]

ANGLES = np.deg2rad([9.0, -7.0, 10.0])  # about 15 degrees in all
SHIFT = np.array([18.0, -16.0, 17.0])  # about 30 mm


def template(name: str) -> itk.Image:
    """One of nilearn's ICBM152 maps at 1 mm, in ITK's LPS frame."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nilearn import datasets

        nifti = getattr(datasets, f"load_mni152_{name}")(resolution=1)
    image = itk.image_from_array(np.ascontiguousarray(np.asarray(nifti.dataobj, dtype=np.float32).T))
    ras_to_lps = np.diag([-1.0, -1.0, 1.0])
    affine = ras_to_lps @ nifti.affine[:3]
    spacing = np.linalg.norm(affine[:, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(affine[:, 3].tolist())
    image.SetDirection(itk.matrix_from_array(affine[:, :3] / spacing))
    return image


def simulated_t2(t1: itk.Image) -> itk.Image:
    """A T2-weighted look on T1's grid: fluid bright, grey matter between, white matter dark."""
    brain = itk.array_from_image(t1) > 0.05 * itk.array_from_image(t1).max()
    grey = itk.array_from_image(template("gm_template"))
    white = itk.array_from_image(template("wm_template"))
    fluid = np.clip(1.0 - grey - white, 0.0, 1.0) * brain
    z, y, x = (np.linspace(-1, 1, n) for n in grey.shape)
    shading = 1.0 + 0.15 * x[None, None, :] - 0.10 * y[None, :, None] + 0.10 * (z**2)[:, None, None]
    signal = (1.0 * fluid + 0.60 * grey + 0.35 * white) * shading
    noise = np.random.default_rng(0).normal(0.0, 0.03, (2, *signal.shape))
    image = itk.image_from_array(np.hypot(signal + noise[0], noise[1]).astype(np.float32))
    image.CopyInformation(t1)
    return image


def displacement(image: itk.Image) -> itk.Euler3DTransform:
    """The known transform from fixed to moving points."""
    transform = itk.Euler3DTransform[itk.D].New()
    transform.SetCenter(centre(image).tolist())
    transform.SetRotation(*ANGLES.tolist())
    transform.SetTranslation(SHIFT.tolist())
    return transform


def centre(image: itk.Image) -> FloatArray:
    last = [int(n) - 1 for n in itk.size(image)]
    first, end = (np.asarray(image.TransformIndexToPhysicalPoint(i)) for i in ([0, 0, 0], last))
    return (first + end) / 2


def displaced(image: itk.Image, truth: itk.Transform, spacing: float = 1.5) -> itk.Image:
    """The image moved by the transform, on a grid of its own."""
    size = [int(n * s / spacing) for n, s in zip(itk.size(image), itk.spacing(image), strict=True)]
    middle = np.asarray(truth.TransformPoint(centre(image).tolist()))
    origin = middle - itk.array_from_matrix(image.GetDirection()) @ ((np.asarray(size) - 1) / 2 * spacing)
    return itk.resample_image_filter(
        image,
        transform=truth.GetInverseTransform(),
        size=size,
        output_spacing=[spacing] * 3,
        output_origin=origin.tolist(),
        output_direction=image.GetDirection(),
    )


def write_pair(folder: Path) -> tuple[Path, Path]:
    """Fixed and moving image as files in a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    fixed = template("template")
    paths = folder / "fixed.nii.gz", folder / "moving.nii.gz"
    for image, path in zip((fixed, displaced(simulated_t2(fixed), displacement(fixed))), paths, strict=True):
        itk.imwrite(image, path)
    return paths


def points_inside(image: itk.Image, step: int = 8) -> FloatArray:
    """Physical points every `step` voxels inside the brain, shape (n, 3)."""
    array = itk.array_view_from_image(image)
    index = np.argwhere(array[::step, ::step, ::step] > 0.2 * array.max())[:, ::-1] * step
    return np.asarray([image.TransformIndexToPhysicalPoint(i.tolist()) for i in index])


def mean_error(transform: itk.Transform, truth: itk.Transform, points: FloatArray) -> float:
    """Mean distance in mm between where the two transforms take the points."""
    pairs = [(transform.TransformPoint(p.tolist()), truth.TransformPoint(p.tolist())) for p in points]
    return float(np.mean([np.linalg.norm(np.asarray(a) - np.asarray(b)) for a, b in pairs]))


def register(fixed: itk.Image, moving: itk.Image) -> itk.Euler3DTransform:
    """An ordinary rigid ITK pipeline; only the metric's name is new."""
    transform = itk.Euler3DTransform[itk.D].New()
    transform.SetCenter(centre(fixed).tolist())
    metric = itk.DISAImageToImageMetricv4[ImageType, ImageType].New()
    optimizer = itk.LBFGS2Optimizerv4Template[itk.D].New()
    method = itk.ImageRegistrationMethodv4[ImageType, ImageType].New(
        FixedImage=fixed, MovingImage=moving, Metric=metric, Optimizer=optimizer, InitialTransform=transform
    )
    levels = 3
    method.SetNumberOfLevels(levels)
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([0] * levels)
    method.InPlaceOn()

    start = time.perf_counter()
    optimising = 0.0
    last = start

    def report() -> None:
        nonlocal optimising, last
        now = time.perf_counter()
        optimising += now - last if optimizer.GetCurrentIteration() > 0 else 0.0
        last = now
        print(
            f"level {method.GetCurrentLevel() + 1} of {levels}  iteration {optimizer.GetCurrentIteration():3d}  "
            f"value {metric.GetCurrentValue():+.5f}"
        )

    optimizer.AddObserver(itk.IterationEvent(), report)
    method.Update()
    total = time.perf_counter() - start
    print(f"\noptimisation {optimising:.2f} s, extraction of descriptors and set-up {total - optimising:.2f} s")
    return transform


def checkerboard(fixed: itk.Image, moving: itk.Image, transform: itk.Transform) -> FloatArray:
    """Tiles of both images in turn, on fixed's grid, shape (z, y, x) in [0, 1]."""
    moved = itk.resample_image_filter(moving, transform=transform, use_reference_image=True, reference_image=fixed)
    a, b = (itk.array_from_image(i).astype(float) for i in (fixed, moved))
    a, b = a / np.percentile(a, 99.5), b / np.percentile(b, 99.8)
    tile = sum(np.indices(a.shape) // 24) % 2
    return np.clip(np.where(tile == 0, a, b), 0.0, 1.0)


def draw(before: FloatArray, after: FloatArray, errors: tuple[float, float], path: Path) -> None:
    """Three orthogonal slices before and after, as a PNG."""
    figure, axes = plt.subplots(2, 3, figsize=(12, 8.4), facecolor="black")
    for row, (volume, label, error) in enumerate(zip((before, after), ("before", "after"), errors, strict=True)):
        z, y, x = (n // 2 for n in volume.shape)
        slices = (volume[z, ::1], volume[::-1, y], volume[::-1, :, x])
        for column, image in enumerate(slices):
            axes[row, column].imshow(image, cmap="gray", vmin=0, vmax=1)
            axes[row, column].axis("off")
        axes[row, 1].set_title(f"{label}: mean error {error:.2f} mm", color="white", fontsize=14)
    figure.suptitle("ICBM152 T1 and a simulated T2 in turn, registered with DISA", color="white", fontsize=15)
    figure.tight_layout()
    figure.savefig(path, dpi=110, facecolor="black")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder of the picture")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)

    print("fixed:  ICBM152 T1 template (real)\nmoving: SIMULATED T2 of the same anatomy, displaced\n")
    fixed = template("template")
    truth = displacement(fixed)
    moving = displaced(simulated_t2(fixed), truth)
    points = points_inside(fixed)
    identity = itk.Euler3DTransform[itk.D].New()
    before = mean_error(identity, truth, points)

    transform = register(fixed, moving)
    after = mean_error(transform, truth, points)
    print(f"mean error before {before:.2f} mm, after {after:.2f} mm")

    picture = output / "checkerboard.png"
    draw(
        checkerboard(fixed, moving, identity),
        checkerboard(fixed, moving, transform),
        (before, after),
        picture,
    )
    print(f"picture: {picture}")


if __name__ == "__main__":
    main()
