# SPDX-License-Identifier: Apache-2.0
"""The settings of DISA's metric, documented once.

ITK's setters and SimpleITK's `SetMetricAsDISA` show them from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Setting:
    """One setting of the metric.

    Attributes:
        argument: of `SetMetricAsDISA`.
        itk: what follows Set and Get in the name of ITK's methods; empty: ITK's metric has none.
        default: as a reader is told.
        meaning: what it is and in which unit; sentences for both doors.
    """

    argument: str
    itk: str
    default: str
    meaning: str


METRIC_SETTINGS = (
    Setting("model", "Model", '"disa-lc2"', "name of a shipped model or path of an .onnx file."),
    Setting(
        "spacing",
        "VoxelSpacing",
        "automatic",
        "voxel spacing, mm between the voxels that the network sees. Where it is not set it follows from the images. "
        "It is 2 for a body. It is 1 where an image, without its padding, or a mask shows less than a litre. "
        "A last stage at 1 is the most accurate.",
    ),
    Setting("fixed_stride", "FixedStride", "4", "voxels between samples, in either image: 4, 2 or 1."),
    Setting(
        "moving_stride",
        "MovingStride",
        "2",
        "voxels between the descriptors that samples are read in: 4, 2 or 1; denser than the samples.",
    ),
    Setting(
        "reorientation_angle",
        "ReorientationAngle",
        "3.0",
        "degrees that the transform may turn before a level extracts the moving descriptors anew; 0: never anew. "
        "With 5 instead of 3, heads that started 4.5 degrees off ended 0.3 to 1 mm further off (benchmarks/notes.md).",
    ),
    Setting(
        "weighting", "", "True", "weigh samples by local deviation, the root of the paper's variance; False: all alike."
    ),
    Setting(
        "smoothing",
        "FeatureSmoothing",
        "by the level",
        "mm, standard deviation of the wide part of the kernel over the descriptors. It widens the capture range at no "
        "cost a point; 0: none. Where it is not set, the last level has none, the one before 6 times the voxel "
        "spacing, and earlier ones 12 times. Transforms that may scale or deform have none, for it would draw them "
        "towards the body's middle: start those from a rigid stage. One number holds for all levels; SimpleITK's class "
        "takes a list, too, one for each.",
    ),
    Setting(
        "providers",
        "ExecutionProviders",
        "automatic",
        "ONNX Runtime execution providers, best first; empty: CUDA, OpenVINO or the CPU, as is available.",
    ),
)


def shows(argument: str) -> Callable[[Function], Function]:
    """A decorator for the setter or getter of a setting, whose docstring becomes what the setting means."""
    meaning, default = next((s.meaning, s.default) for s in METRIC_SETTINGS if s.argument == argument)

    def decorate(function: Function) -> Function:
        told = f" Default: {default}." if function.__name__.startswith("Set") else ""
        function.__doc__ = meaning[0].upper() + meaning[1:] + told
        return function

    return decorate


def lists_settings(function: Function) -> Function:
    """A decorator for the function that takes all settings, whose docstring has `{settings}` where they belong."""
    lines = [f"{setting.argument}: {setting.meaning} Default: {setting.default}." for setting in METRIC_SETTINGS]
    function.__doc__ = (function.__doc__ or "").replace("{settings}", ("\n" + 12 * " ").join(lines))
    return function
