"""What `disa register` does: register, and write what there is to see into a folder."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

import disa
from disa.applying import resampled
from disa.commands.findings import Truth, findings, page
from disa.commands.progress import Plan, progress_bar
from disa.deformable import DeformableResult
from disa.errors import ConfigError, OutputError
from disa.features import check_spacing
from disa.images import load_image
from disa.inference import CPU, GPU, runs_on_gpu
from disa.points import read_points
from disa.probe_pressure import ProbePressure
from disa.progress import report
from disa.reading import read_image
from disa.report import write_html
from disa.result import RegistrationResult
from disa.transform_files import read_transform
from disa.writing import write_image, write_text, write_transform


@dataclass(frozen=True)
class Request:
    """What was asked for; see the command's help."""

    fixed: Path
    moving: Path
    output: Path
    transform: str
    everywhere: bool
    deformable: bool
    probe: ProbePressure | None
    initial_transform: Path | None
    masks: tuple[Path | None, Path | None]
    landmarks: tuple[Path | None, Path | None]
    truth: Path | None
    spacing: float
    fine_spacing: float | None
    stride: int | None
    model: str
    providers: list[str] | None
    seed: int
    threads: int

    @property
    def plan(self) -> Plan:
        """Stages, and what share of the time each takes, in fixed descriptors at the coarse spacing."""
        refinement = [("re-oriented descriptors", 1.2), ("refinement", 0.1)] + 2 * [
            ("re-oriented descriptors", 0.1),
            ("refinement", 0.1),
        ]
        finer = 1.0 if self.fine_spacing is None else (self.spacing / self.fine_spacing) ** 3
        registration = [("fixed descriptors", 1.0), ("moving descriptors", 0.6), ("search", 0.1), *refinement]
        if self.transform not in ("translation", "rigid"):
            registration += refinement
        if self.fine_spacing is not None:
            registration += [("fixed descriptors", finer), *((stage, finer * share) for stage, share in refinement)]
        plan: dict[str, list[tuple[str, float]]] = {"reading": [("files", 0.3)], "registration": registration}
        if self.deformable:
            plan["deformation"] = [
                ("fixed descriptors", 2.0),
                ("moving descriptors", 1.7),
                ("search", 0.7),
                ("moving descriptors", 1.7),
                ("refinement", 0.3),
                ("composition", 0.1),
            ]
        plan["writing"] = [("files", 1.5)]
        return plan


def run(request: Request) -> dict[str, Any]:
    """Register and write every file. Returns what result.json holds. Raises DISAError."""
    start = time.perf_counter()
    _check(request)
    with progress_bar(request.plan):
        report("reading")
        initial = None if request.initial_transform is None else read_transform(request.initial_transform)
        truth = Truth(
            landmarks=_landmarks(request.landmarks),
            transform=None if request.truth is None else read_transform(request.truth),
        )
        original = read_image(request.moving)
        fixed, moving = load_image(request.fixed), load_image(original, str(request.moving))
        before = initial or _centres_together(fixed, moving)
        report("registration")
        result = _register(request, fixed, moving, initial)
        deformation = None
        if request.deformable:
            report("deformation")
            deformation = _deform(request, fixed, moving, result)
        report("writing")
        after = result.transform if deformation is None else deformation.transform
        files = ["transform.h5", *(["transform.tfm"] if after.IsLinear() else []), "moved.nii.gz", "report.html"]
        settings = _settings(request)
        found = {
            "fixed": str(request.fixed),
            "moving": str(request.moving),
            **findings(result, deformation, truth.errors(before, after, fixed)),
            "settings": settings,
            "files": [*files, "result.json"],
        }
        found["seconds"]["total"] = time.perf_counter() - start
        title = f"{request.moving.name} on {request.fixed.name}"
        for name in files:
            if name.startswith("transform"):
                write_transform(after, request.output / name)
        write_image(resampled(original, fixed, after), request.output / "moved.nii.gz")
        html = write_html(page(title, found), fixed, moving, before, after)
        write_text(request.output / "report.html", html)
        write_text(request.output / "result.json", json.dumps(found, indent=2, allow_nan=False) + "\n")
    return found


def _check(request: Request) -> None:
    """What can be said before any work is done."""
    if (request.landmarks[0] is None) != (request.landmarks[1] is None):
        raise ConfigError("--fixed-landmarks and --moving-landmarks go together; give both")
    for spacing in (request.spacing, request.fine_spacing):
        if spacing is not None:
            check_spacing(spacing)
    if request.output.exists() and not request.output.is_dir():
        raise OutputError(f"{request.output}: is a file; expected a folder to write into")


def _landmarks(paths: tuple[Path | None, Path | None]) -> tuple[npt.NDArray[np.float64], ...] | None:
    return tuple(read_points(path).positions for path in paths if path) or None


def _register(
    request: Request, fixed: sitk.Image, moving: sitk.Image, initial: sitk.Transform | None
) -> RegistrationResult:
    options: dict[str, Any] = {
        **_common_options(request),
        "initial_transform": initial,
        "transform": request.transform,
        "probe": request.probe,
        "fine_spacing": request.fine_spacing,
    }
    if request.stride is not None and not request.deformable:
        options["stride"] = request.stride
    if request.everywhere:
        return disa.global_register(fixed, moving, seed=request.seed, **options)
    return disa.register(fixed, moving, **options)


def _deform(request: Request, fixed: sitk.Image, moving: sitk.Image, result: RegistrationResult) -> DeformableResult:
    options = _common_options(request)
    if request.stride is not None:
        options["stride"] = request.stride
    return disa.deformable_register(fixed, moving, initial_transform=result.transform, **options)


def _common_options(request: Request) -> dict[str, Any]:
    return {
        "fixed_mask": request.masks[0],
        "moving_mask": request.masks[1],
        "model": request.model,
        "spacing": request.spacing,
        "providers": request.providers,
        "threads": request.threads,
    }


def _centres_together(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    """The translation that takes the fixed image's centre to the moving one's, where a search begins."""
    centres = [
        np.asarray(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
        for image in (fixed, moving)
    ]
    translation: sitk.Transform = sitk.TranslationTransform(3, (centres[1] - centres[0]).tolist())
    return translation


def _settings(request: Request) -> dict[str, Any]:
    """What was asked for, as result.json and the report say it."""
    return {
        "transform": request.transform,
        "search": "global" if request.everywhere else "local",
        "deformable": request.deformable,
        "spacing_mm": request.spacing,
        "fine_spacing_mm": request.fine_spacing,
        "stride": request.stride or "automatic",
        "model": request.model,
        "provider": GPU if runs_on_gpu(request.providers) else CPU,
        "seed": request.seed,
        "threads": request.threads or "all",
    }
