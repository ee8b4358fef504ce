# SPDX-License-Identifier: Apache-2.0
"""What `disa register` does: register, and write what there is to see into a folder."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

import disa
from disa.deform.constraints import Constraints
from disa.deform.options import DeformOptions
from disa.errors import ConfigError, OutputError, RegistrationError
from disa.geometry.applying import resampled
from disa.io.images import load_image, load_weights
from disa.io.paths import check_utf8
from disa.io.points import read_points
from disa.io.reading import ImageFile, read_image
from disa.io.result_folder import alone_in, publish, settle
from disa.io.transform_files import read_transform
from disa.io.writing import write_bytes, write_image, write_text, write_transform
from disa.network.models import find_model, fingerprint
from disa.network.providers import GPU
from disa.network.session import first_provider
from disa.pose.options import PoseOptions, SearchOptions
from disa.pose.result import RegistrationResult
from disa.progress import Plan, announce
from disa.report.before import said_of_before
from disa.report.display import Pair
from disa.report.findings import Truth, findings
from disa.report.maps import write_deformation
from disa.report.page import page_of, write_html
from disa.report.provenance import provenance
from disa.report.record import (
    LINEAR,
    MOVED,
    PREVIEW,
    REPORT,
    RESULT,
    TRANSFORM,
    check_apart,
    check_names,
    digests_of,
    files_of_run,
    record_of,
    write_record,
)
from disa.report.run_settings import SETTINGS, run_settings
from disa.report.view import draw

OF_DEFORMATION = (
    "fixed_weights",
    "fixed_rigid_parts",
    "moving_rigid_parts",
    "fixed_constraint_landmarks",
    "moving_constraint_landmarks",
)
"""Inputs that only a deformation takes."""


@dataclass(frozen=True)
class Inputs:
    """Files of a registration, and the series of the two images; see the command's help."""

    fixed: Path
    moving: Path
    initial_transform: Path | None = None
    fixed_mask: Path | None = None
    moving_mask: Path | None = None
    fixed_landmarks: Path | None = None
    moving_landmarks: Path | None = None
    truth: Path | None = None
    fixed_weights: Path | None = None
    fixed_rigid_parts: Path | None = None
    moving_rigid_parts: Path | None = None
    fixed_constraint_landmarks: Path | None = None
    moving_constraint_landmarks: Path | None = None
    fixed_series: str | None = None
    moving_series: str | None = None

    @property
    def given(self) -> dict[str, Path]:
        """Those that there are, by name."""
        return {name: path for name, path in vars(self).items() if isinstance(path, Path)}

    @property
    def described(self) -> dict[str, str]:
        """All that there are, as result.json has them."""
        return {name: str(value) for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Options:
    """How to register.

    Attributes:
        pose: `SearchOptions` for a global search, else a local one.
        deformation: what follows; None: nothing.
        resample_sheared: resample images whose axes are not at right angles; False: refuse them.
        write_maps: write the deformation's maps, too.
        landmark_tolerance: mm, of the landmarks that the deformation follows; None: `Constraints` says.
    """

    pose: PoseOptions
    deformation: DeformOptions | None = None
    resample_sheared: bool = False
    write_maps: bool = False
    landmark_tolerance: float | None = None

    @property
    def everywhere(self) -> bool:
        """Whether the search is global."""
        return isinstance(self.pose, SearchOptions)

    def with_threads(self, threads: int) -> Options:
        """The same, each search on so many threads unless it has a number of its own."""
        pose, deformation = self.pose, self.deformation
        return replace(
            self,
            pose=pose if pose.threads else replace(pose, threads=threads),
            deformation=deformation
            if deformation is None or deformation.threads
            else replace(deformation, threads=threads),
        )

    def check(self) -> None:
        """Raises ModelError where there is no such model."""
        self.settings()

    @property
    def plan(self) -> Plan:
        """Stages, and what share of the time each takes, in fixed descriptors at the coarse spacing."""
        again = [("re-oriented descriptors", 0.1), ("refinement", 0.1)]
        refinement = [("re-oriented descriptors", 1.2), ("refinement", 0.1), *again, *again]
        pose = self.pose
        finer = 1.0 if pose.fine_spacing is None else ((pose.spacing or 2.0) / pose.fine_spacing) ** 3
        registration = [("fixed descriptors", 1.0), ("moving descriptors", 0.6), ("search", 0.1), *refinement]
        if pose.is_freed:
            registration += refinement
        if pose.fine_spacing is not None:
            registration += [("fixed descriptors", finer), *((stage, finer * share) for stage, share in refinement)]
        plan: dict[str, list[tuple[str, float]]] = {"reading": [("files", 0.3)], "registration": registration}
        if self.deformation is not None:
            plan["deformation"] = [
                ("fixed descriptors", 1.3),
                ("moving descriptors", 1.5),
                ("search", 1.2),
                ("moving descriptors", 1.5),
                ("refinement", 1.5),
                ("composition", 0.1),
            ]
        plan["writing"] = [("files", 1.5)]
        return plan

    def settings(self) -> dict[str, Any]:
        """What result.json and the report say of them."""
        pose = self.pose
        provider = first_provider(pose.providers)
        return {
            "transform": pose.transform,
            **({"probe": vars(pose.probe)} if pose.probe else {}),
            "search": "global" if self.everywhere else "local",
            "deformable": self.deformation is not None,
            **({"resample_sheared": True} if self.resample_sheared else {}),
            **({"maps": True} if self.write_maps else {}),
            **({} if self.landmark_tolerance is None else {"landmark_tolerance_mm": self.landmark_tolerance}),
            "spacing_mm": pose.spacing,
            "fine_spacing_mm": pose.fine_spacing,
            "stride": pose.stride,
            **(_settings_of_deformation(self.deformation) if self.deformation else {}),
            "model": str(pose.model),
            "model_sha256": fingerprint(find_model(pose.model, 4, provider == GPU)),
            "provider": provider,
            **(_settings_of_search(pose) if isinstance(pose, SearchOptions) else {}),
        }


def _settings_of_search(options: SearchOptions) -> dict[str, Any]:
    return {
        "starts": options.starts,
        "rotation_deg": options.rotation,
        "translation_mm": options.translation,
        "seed": options.seed,
    }


def _settings_of_deformation(options: DeformOptions) -> dict[str, Any]:
    return {
        "deformation_stride": options.stride,
        "deformation_radius_mm": options.radius,
        "fold_free": options.fold_free,
    }


@dataclass(frozen=True)
class Request:
    """What was asked for; `command` is the line that was typed, which the report shows."""

    inputs: Inputs
    options: Options
    output: Path
    command: str = ""


def run(request: Request) -> dict[str, Any]:
    """Register and write every file. Returns what result.json holds. Raises DISAError.

    No other run writes into the folder meanwhile, and its files take the places of an earlier run's together.
    """
    _check(request)
    with alone_in(request.output, RESULT) as folder:
        found = _run(request, folder)
        publish(folder, RESULT, files_of_run(request.output))
    return found


def _run(request: Request, output: Path) -> dict[str, Any]:
    """The same into a folder of its own."""
    start = time.perf_counter()
    inputs, options = request.inputs, request.options
    settings = options.settings()
    # Loaded before the search, since it may lack a package.
    deform = None if options.deformation is None else disa.deformable_register
    announce("reading")
    digests = digests_of(inputs.given)
    initial = None if inputs.initial_transform is None else read_transform(inputs.initial_transform)
    places = _landmarks(inputs.fixed_landmarks, inputs.moving_landmarks)
    truth = Truth(places, None if inputs.truth is None else read_transform(inputs.truth))
    constraints = _constraints(request)
    resample = options.resample_sheared
    original = read_image(ImageFile(inputs.moving, inputs.moving_series, resample))
    fixed = load_image(ImageFile(inputs.fixed, inputs.fixed_series, resample))
    moving = load_image(original, str(inputs.moving))
    fixed_mask, moving_mask = _mask(inputs.fixed_mask, request), _mask(inputs.moving_mask, request)
    weights = None if inputs.fixed_weights is None else load_weights(ImageFile(inputs.fixed_weights, None, resample))
    announce("registration")
    result = _register(
        options.pose, fixed, moving, initial_transform=initial, fixed_mask=fixed_mask, moving_mask=moving_mask
    )
    deformation = None
    if deform is not None:
        announce("deformation")
        deformation = deform(
            fixed,
            moving,
            initial_transform=result.transform,
            fixed_mask=fixed_mask,
            moving_mask=moving_mask,
            fixed_weights=weights,
            constraints=constraints,
            options=options.deformation,
        )
    announce("writing")
    after = result.transform if deformation is None else deformation.transform
    field = None if deformation is None else deformation.displacement_field
    disagreement = None if deformation is None else deformation.disagreement_map
    pair = Pair(fixed, moving, initial or sitk.Transform(3, sitk.sitkIdentity), after, field, disagreement)
    transforms = [TRANSFORM, *([LINEAR] if after.IsLinear() else [])]
    further = []
    if deformation is not None:
        further = write_deformation(deformation, fixed, output, with_maps=options.write_maps)
    found = {
        "inputs": inputs.described,
        **provenance(request.command, fixed, moving),
        **findings(result, deformation, pair),
        **truth.errors(pair),
        "settings": settings,
        "files": [*transforms, MOVED, *further, PREVIEW, REPORT, SETTINGS, RESULT],
        "sha256": {"inputs": digests},
    }
    view = draw(pair)
    found["seconds"]["total"] = time.perf_counter() - start
    for name in transforms:
        write_transform(after, output / name)
    write_image(resampled(original, fixed, after), output / MOVED)
    write_bytes(output / PREVIEW, view.preview)
    title = f"{inputs.moving.name} on {inputs.fixed.name}"
    texts = page_of(title, found, [said_of_before(pair, inputs.initial_transform)])
    write_text(output / SETTINGS, run_settings(inputs, options))
    write_text(output / REPORT, write_html(texts, view))
    changed = [name for name, digest in digests_of(inputs.given).items() if digest != digests[name]]
    if changed:
        raise RegistrationError(f"{inputs.given[changed[0]]}: was changed while it was registered; run it again")
    write_record(found, digests, output)
    return found


def done_before(request: Request) -> dict[str, Any] | None:
    """What result.json holds where the same was asked before, of files with the same content, and all is as written."""
    settle(request.output, RESULT)
    asked = {"inputs": request.inputs.described, "settings": request.options.settings()}
    return record_of(request.output, request.inputs.given, asked)


def _check(request: Request) -> None:
    """What can be said before any work is done."""
    inputs = request.inputs
    for kind in ("landmarks", "constraint-landmarks"):
        pair = {f"{side}_{kind.replace('-', '_')}" for side in ("fixed", "moving")}
        if len(pair & inputs.given.keys()) == 1:
            raise ConfigError(f"--fixed-{kind} and --moving-{kind} go together; give both")
    for name in OF_DEFORMATION:
        if name in inputs.given and request.options.deformation is None:
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{option}: has an effect with --deformable only; add that or leave it out")
    check_utf8(request.output, OutputError)
    if request.output.exists() and not request.output.is_dir():
        raise OutputError(f"{request.output}: is a file; expected a folder to write into")
    check_apart(request.output, inputs.given)
    is_linear = request.options.deformation is None and request.options.pose.probe is None
    check_names(request.output, is_linear)


def _landmarks(*paths: Path | None) -> tuple[npt.NDArray[np.float64], ...] | None:
    return tuple(read_points(path).positions for path in paths if path) or None


def _constraints(request: Request) -> Constraints:
    """What the deformation goes by. Raises DISAError where it cannot be read or used."""
    inputs, tolerance = request.inputs, request.options.landmark_tolerance
    fixed, moving = _landmarks(inputs.fixed_constraint_landmarks, inputs.moving_constraint_landmarks) or (None, None)
    constraints = Constraints(
        fixed_rigid_parts=_mask(inputs.fixed_rigid_parts, request),
        moving_rigid_parts=_mask(inputs.moving_rigid_parts, request),
        fixed_landmarks=fixed,
        moving_landmarks=moving,
    )
    return constraints if tolerance is None else replace(constraints, landmark_tolerance=tolerance)


def _mask(path: Path | None, request: Request) -> sitk.Image | None:
    return None if path is None else read_image(ImageFile(path, None, request.options.resample_sheared), labels=True)


def _register(options: PoseOptions, fixed: sitk.Image, moving: sitk.Image, **given: Any) -> RegistrationResult:
    if isinstance(options, SearchOptions):
        return disa.global_register(fixed, moving, options=options, **given)
    return disa.register(fixed, moving, options=options, **given)
