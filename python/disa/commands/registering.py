"""What `disa register` does: read, search, write."""

from __future__ import annotations

import importlib.metadata
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from rich.console import Console

import disa
from disa.applying import resampled
from disa.errors import ConfigError
from disa.evaluation import landmark_errors
from disa.images import load_image
from disa.points import read_points
from disa.reading import read_image
from disa.report import Page, write_html
from disa.result import RegistrationResult
from disa.transform_files import read_transform
from disa.writing import write_image, write_text, write_transform

FILES = ("transform.h5", "transform.tfm", "moved.nii.gz", "result.json", "report.html")


@dataclass(frozen=True)
class Request:
    """What was asked for; see the command's help."""

    fixed: Path
    moving: Path
    output: Path
    transform: str
    everywhere: bool
    initial_transform: Path | None
    masks: tuple[Path | None, Path | None]
    landmarks: tuple[Path | None, Path | None]
    spacing: float
    fine_spacing: float | None
    model: str
    providers: list[str] | None
    seed: int
    threads: int


def run(request: Request) -> dict[str, Any]:
    """Register and write every file. Returns what result.json holds. Raises DISAError."""
    start = time.perf_counter()
    if (request.landmarks[0] is None) != (request.landmarks[1] is None):
        raise ConfigError("--fixed-landmarks and --moving-landmarks go together; give both")
    initial = None if request.initial_transform is None else read_transform(request.initial_transform)
    console = Console(stderr=True)
    with console.status("registering") if console.is_terminal else _Quiet():
        original = read_image(request.moving)
        fixed, moving = load_image(request.fixed), load_image(original, str(request.moving))
        before = initial or _centres_together(fixed, moving)
        result = _register(request, fixed, moving, initial)
        found = _about(request, result, before, time.perf_counter() - start)
        page = _page(request, found)
        request.output.mkdir(parents=True, exist_ok=True)
        write_transform(result.transform, request.output / "transform.h5")
        write_transform(result.transform, request.output / "transform.tfm")
        write_image(resampled(original, fixed, result.transform), request.output / "moved.nii.gz")
        write_text(request.output / "report.html", write_html(page, result, fixed, moving, before))
        write_text(request.output / "result.json", json.dumps(found, indent=2, allow_nan=False) + "\n")
    return found


class _Quiet:
    def __enter__(self) -> None: ...
    def __exit__(self, *error: object) -> None: ...


def _register(
    request: Request, fixed: sitk.Image, moving: sitk.Image, initial: sitk.Transform | None
) -> RegistrationResult:
    options: dict[str, Any] = {
        "initial_transform": initial,
        "transform": request.transform,
        "fixed_mask": request.masks[0],
        "moving_mask": request.masks[1],
        "model": request.model,
        "spacing": request.spacing,
        "fine_spacing": request.fine_spacing,
        "providers": request.providers,
        "threads": request.threads,
    }
    if request.everywhere:
        return disa.global_register(fixed, moving, seed=request.seed, **options)
    return disa.register(fixed, moving, **options)


def _centres_together(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    """The translation that takes the fixed image's centre to the moving one's, where a search begins."""
    centres = [
        np.asarray(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
        for image in (fixed, moving)
    ]
    translation: sitk.Transform = sitk.TranslationTransform(3, (centres[1] - centres[0]).tolist())
    return translation


def _about(request: Request, result: RegistrationResult, before: sitk.Transform, seconds: float) -> dict[str, Any]:
    """What result.json holds."""
    found: dict[str, Any] = {
        "fixed": str(request.fixed),
        "moving": str(request.moving),
        "transform": {
            "type": result.transform.GetName(),
            "parameters": list(result.transform.GetParameters()),
            "fixed_parameters": list(result.transform.GetFixedParameters()),
        },
        "value": result.value,
        "overlap": result.overlap,
        "optima": [
            {"value": optimum.value, "parameters": list(optimum.transform.GetParameters())} for optimum in result.optima
        ],
        "doubts": result.doubts,
        "evaluations": result.evaluations,
        "seconds": {**result.times, "total": seconds},
        "settings": {
            "transform": request.transform,
            "search": "global" if request.everywhere else "local",
            "spacing_mm": request.spacing,
            "fine_spacing_mm": request.fine_spacing,
            "model": request.model,
            "providers": request.providers or "automatic",
            "seed": request.seed,
        },
        "versions": {name: importlib.metadata.version(name) for name in ("itk-disa", "itk-core", "SimpleITK", "numpy")},
        "files": list(FILES),
    }
    if request.landmarks[0] and request.landmarks[1]:
        places = [read_points(path).positions for path in request.landmarks if path]
        found["landmark_errors_mm"] = {
            name: landmark_errors(transform, *places).tolist()
            for name, transform in (("before", before), ("after", result.transform))
        }
    return found


def _page(request: Request, found: dict[str, Any]) -> Page:
    """The report's texts."""
    tables: dict[str, list[list[object]]] = {
        "Result": [
            ["value (-1 to 1, lower is better)", found["value"]],
            ["overlap", f"{100 * found['overlap']:.0f} %"],
            [found["transform"]["type"], ", ".join(f"{v:.6g}" for v in found["transform"]["parameters"])],
            ["evaluations of the metric", found["evaluations"]],
        ]
    }
    headers = {}
    if "landmark_errors_mm" in found:
        errors = found["landmark_errors_mm"]
        heading = "Landmark errors (mm)"
        tables[heading] = [[i + 1, *both] for i, both in enumerate(zip(errors["before"], errors["after"], strict=True))]
        tables[heading].append(["mean", *(float(np.mean(errors[name])) for name in ("before", "after"))])
        headers[heading] = ("landmark", "before", "after")
    if len(found["optima"]) > 1:
        heading = "Poses that the search ended at, the best first"
        tables[heading] = [
            [i + 1, optimum["value"], ", ".join(f"{v:.4g}" for v in optimum["parameters"])]
            for i, optimum in enumerate(found["optima"])
        ]
        headers[heading] = ("", "value", "parameters")
    tables["Seconds"] = [[name, seconds] for name, seconds in found["seconds"].items()]
    tables["Settings"] = [[name, value] for name, value in found["settings"].items()]
    tables["Versions"] = [[name, version] for name, version in found["versions"].items()]
    subtitle = f"{found['settings']['search']} search, {request.transform}, {found['seconds']['total']:.1f} s"
    return Page(f"{request.moving.name} on {request.fixed.name}", subtitle, tables, headers)
