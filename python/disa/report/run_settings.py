# SPDX-License-Identifier: Apache-2.0
"""run.yaml: the settings of a run, as `disa register --settings` reads them."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disa.io.plain_yaml import dump_yaml
from disa.network.providers import GPU
from disa.pose.options import PoseOptions, SearchOptions

if TYPE_CHECKING:
    from disa.report.job import Inputs, Options

SETTINGS = "run.yaml"


def run_settings(inputs: Inputs, options: Options) -> str:
    """The options of `disa register` that ask for the same, one a line by their names with `_` for `-`.

    Paths are absolute. What has no say in the result is left out: where it is written, and how many threads work on it.
    """
    version = importlib.metadata.version("itk-disa")
    head = f"# Written by itk-disa {version}. The same again: disa register --settings {SETTINGS} -o FOLDER\n"
    given = {**_files(inputs), **_of_pose(options.pose), **_of_deformation(options)}
    given["resample_sheared"] = options.resample_sheared
    return head + dump_yaml({name: value for name, value in given.items() if value is not None and value is not False})


def _files(inputs: Inputs) -> dict[str, Any]:
    return {name: os.path.abspath(value) if isinstance(value, Path) else value for name, value in vars(inputs).items()}


def _of_pose(options: PoseOptions) -> dict[str, Any]:
    model = os.fspath(options.model)
    found: dict[str, Any] = {
        "transform": options.transform,
        "search": "global" if isinstance(options, SearchOptions) else "local",
        "spacing": options.spacing,
        "fine_spacing": options.fine_spacing,
        "stride": options.stride,
        "model": os.path.abspath(model) if model.endswith(".onnx") else model,
        "device": _device(options),
    }
    if isinstance(options, SearchOptions):
        found |= {name: getattr(options, name) for name in ("starts", "rotation", "translation", "seed")}
    if options.probe is not None:
        found |= {
            "probe_contact": [float(number) for number in options.probe.contact],
            "probe_axis": [float(number) for number in options.probe.axis],
            "probe_depth": float(options.probe.depth),
        }
    return found


def _device(options: PoseOptions) -> str:
    if options.providers is None:
        return "auto"
    return "gpu" if GPU in options.providers else "cpu"


def _of_deformation(options: Options) -> dict[str, Any]:
    deformation = options.deformation
    if deformation is None:
        return {}
    return {
        "deformable": True,
        "stride": deformation.stride,
        "radius": deformation.radius,
        "fold_free": deformation.fold_free,
        "write_maps": options.write_maps,
        "landmark_tolerance": options.landmark_tolerance,
    }
