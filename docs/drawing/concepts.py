# SPDX-License-Identifier: Apache-2.0
"""Draws two of the three pictures of docs/concepts.md, of the demo's images; the third is drawn by hand.

    python docs/drawing/concepts.py

Needs the extra `demo`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

import disa

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import demo

DOCS = Path(__file__).parents[1]
FloatArray = npt.NDArray[np.float64]

HEIGHT = 18.0
"""mm above the origin of the slice that is shown."""
SHOWN = (slice(-6, 5, -1), slice(-6, 5, -1))
"""Rows and columns of a slice of 2 mm, as a radiologist looks at it: the patient's right is left, the front is up."""
SMOOTHINGS = {"none": 0.0, "6 mm": 6.0, "24 mm": 24.0}
SHIFTS = np.arange(-80.0, 81.0, 4.0)
"""mm along the first axis."""


def main() -> None:
    """Draw both."""
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "disa", "font.size": 11})
    fixed = demo.template("template")
    t1, t2 = (as_simpleitk(image) for image in (fixed, demo.simulated_t2(fixed)))
    save(draw_descriptors(t1, t2), "concept-descriptors.svg", "Two images of one head, their descriptors and weights")
    save(draw_smoothing(t1, t2), "concept-smoothing.svg", "The metric along a shift, under three widths of smoothing")


def as_simpleitk(image: demo.itk.Image) -> sitk.Image:
    """The same image."""
    converted = sitk.GetImageFromArray(demo.itk.array_view_from_image(image))
    converted.SetOrigin(image.GetOrigin())
    converted.SetSpacing(image.GetSpacing())
    converted.SetDirection(demo.itk.array_from_matrix(image.GetDirection()).ravel().tolist())
    return converted


def draw_descriptors(t1: sitk.Image, t2: sitk.Image) -> Figure:
    """A slice of each image, its descriptors as colours, and its weights."""
    volumes = [disa.extract_features(image, stride=1, quantize=False) for image in (t1, t2)]
    row = round((HEIGHT - volumes[0].origin[2]) / volumes[0].spacing[2])
    descriptors = [np.asarray(volume.data[row], dtype=float) for volume in volumes]
    weights = [np.asarray(volume.weights[row], dtype=float) for volume in volumes]
    figure, axes = plt.subplots(2, 3, figsize=(8.2, 6.4), layout="constrained")
    for line, name, image, colours, weight in zip(
        axes, ("MR T1", "MR T2, simulated"), (t1, t2), as_colours(descriptors), weights, strict=True
    ):
        pixels = sitk.GetArrayFromImage(image)[image.TransformPhysicalPointToIndex((0.0, 0.0, HEIGHT))[2]]
        line[0].imshow(pixels[::2, ::2][SHOWN], cmap="gray", vmax=np.percentile(pixels, 99.5), interpolation="none")
        line[1].imshow(colours[SHOWN], interpolation="none")
        line[2].imshow(weight[SHOWN], cmap="magma", vmax=np.percentile(weight, 99.5), interpolation="none")
        line[0].set_ylabel(name)
    for axis, title in zip(axes[0], ("the image", "its descriptors, as colours", "how much each counts"), strict=True):
        axis.set_title(title)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    return figure


def as_colours(descriptors: list[FloatArray]) -> list[FloatArray]:
    """The three strongest directions of all descriptors as red, green and blue, shape (y, x, 3), in [0, 1]."""
    rows = np.concatenate([part.reshape(-1, part.shape[-1]) for part in descriptors])
    rows = rows[np.linalg.norm(rows, axis=1) > 0.02]
    middle = rows.mean(axis=0)
    _, _, directions = np.linalg.svd(rows - middle, full_matrices=False)
    low, high = np.percentile((rows - middle) @ directions[:3].T, (2, 98), axis=0)
    colours = []
    for part in descriptors:
        shown = (((part - middle) @ directions[:3].T) - low) / (high - low)
        colours.append(np.where(np.linalg.norm(part, axis=-1, keepdims=True) > 0.02, shown.clip(0, 1), 1.0))
    return colours


def draw_smoothing(t1: sitk.Image, t2: sitk.Image) -> Figure:
    """The metric as the moving image is shifted, for each smoothing, each from its lowest to its highest value."""
    figure, axis = plt.subplots(figsize=(7.4, 4.2), layout="constrained")
    for (name, smoothing), style in zip(SMOOTHINGS.items(), (":", "--", "-"), strict=True):
        values = values_along(t1, t2, smoothing)
        axis.plot(SHIFTS, (values - values.min()) / np.ptp(values), style, color="#1b4f8a", label=name)
    axis.set_xlabel("shift from the right pose, left to right (mm)")
    axis.set_ylabel("metric, lower is better")
    axis.set_yticks([0, 1], ["lowest", "highest"])
    axis.legend(title="smoothing")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def values_along(fixed: sitk.Image, moving: sitk.Image, smoothing: float) -> FloatArray:
    """The metric's value at each shift, at one smoothing in mm."""
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA(smoothing=smoothing)
    values = []
    for shift in SHIFTS.tolist():
        method.SetInitialTransform(sitk.TranslationTransform(3, (shift, 0.0, 0.0)))
        values.append(method.MetricEvaluate(fixed, moving))
    return np.asarray(values)


def save(figure: Figure, name: str, title: str) -> None:
    """Write a picture with a title for who cannot see it, and without the date and the program."""
    path = DOCS / name
    figure.savefig(path, metadata={"Date": None, "Creator": None, "Title": title})
    plt.close(figure)
    text = re.sub(r"[ \t]+\n", "\n", path.read_text())
    path.write_text(re.sub(r"(<svg [^>]*>)", rf"\1\n<title>{title}</title>", text, count=1))


if __name__ == "__main__":
    main()
