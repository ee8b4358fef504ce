# SPDX-License-Identifier: Apache-2.0
"""Arguments that commands share, as dataclasses whose fields typer sees one by one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from disa.cli.common import (
    Device,
    DeviceOption,
    Kind,
    ModelOption,
    OptionError,
    Search,
    SeriesOption,
    ShearedOption,
    Stride,
    check_together,
    path_argument,
    path_option,
    providers_of,
)

if TYPE_CHECKING:
    from disa.pose.probe_pressure import ProbePressure
    from disa.report.job import Inputs, Options

Point = tuple[float, float, float]

SEARCH, DEFORMATION, PROBE = "Search for the pose", "Deformation", "Ultrasound probe"
"""Groups of options in the help."""


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """A decorator for a command: each parameter that is a dataclass becomes its fields, in their place and order."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: p.annotation for name, p in signature.parameters.items() if is_dataclass(p.annotation)
    }
    shown: dict[str, inspect.Parameter] = {}
    for name, parameter in signature.parameters.items():
        for each in _parameters_of(groups[name]) if name in groups else [parameter]:
            shown[each.name] = each.replace(kind=inspect.Parameter.KEYWORD_ONLY)

    @functools.wraps(command)
    def flat(**given: Any) -> None:
        made = {}
        for name, group in groups.items():
            made[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given, **made)

    flat.__signature__ = inspect.Signature(list(shown.values()))  # type: ignore[attr-defined]
    flat.__annotations__ = {name: parameter.annotation for name, parameter in shown.items()}
    return flat


def _parameters_of(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]


@dataclass(frozen=True)
class FileArguments:
    """Files of `disa register`."""

    fixed: Annotated[Path, path_argument(help="image file or folder with one DICOM series")]
    moving: Annotated[Path, path_argument(help="the image that is carried onto it")]
    initial_transform: Annotated[
        Path | None, path_option(help="to start from, or about; centre on centre if not given")
    ] = None
    fixed_mask: Annotated[Path | None, path_option(help="image; only where it is not 0 is compared")] = None
    moving_mask: Annotated[Path | None, path_option(help="image; where it is 0 counts as outside")] = None
    fixed_landmarks: Annotated[Path | None, path_option(help="CSV table x, y, z in mm (LPS), for the report")] = None
    moving_landmarks: Annotated[Path | None, path_option(help="the same places in the moving image")] = None
    truth: Annotated[Path | None, path_option(help="the true transform, to measure the result by")] = None
    fixed_weights: Annotated[
        Path | None,
        path_option(help="image, 0 or more: how much each place counts; for --deformable", rich_help_panel=DEFORMATION),
    ] = None
    fixed_rigid_parts: Annotated[
        Path | None,
        path_option(
            help="label image; each label but 0, such as a bone, stays rigid; for --deformable",
            rich_help_panel=DEFORMATION,
        ),
    ] = None
    moving_rigid_parts: Annotated[
        Path | None, path_option(help="the same of the moving image; give one of both", rich_help_panel=DEFORMATION)
    ] = None
    fixed_constraint_landmarks: Annotated[
        Path | None,
        path_option(
            help="points as --fixed-landmarks, which the deformation follows; for --deformable",
            rich_help_panel=DEFORMATION,
        ),
    ] = None
    moving_constraint_landmarks: Annotated[
        Path | None, path_option(help="the same places in the moving image, in order", rich_help_panel=DEFORMATION)
    ] = None
    fixed_series: SeriesOption = None
    moving_series: SeriesOption = None

    def inputs(self, is_deformable: bool) -> Inputs:
        """The same for the job. Raises OptionError where a file is given that nothing would come of."""
        from disa.report.job import OF_DEFORMATION, Inputs

        for kind in ("landmarks", "constraint_landmarks"):
            names = (f"fixed_{kind}", f"moving_{kind}")
            check_together({f"--{name.replace('_', '-')}": vars(self)[name] for name in names})
        given = [name for name in OF_DEFORMATION if vars(self)[name] is not None]
        _check_used(given, is_deformable, "--deformable")
        return Inputs(**vars(self))


@dataclass(frozen=True)
class ProbeArguments:
    """Where an ultrasound probe pushes."""

    probe_contact: Annotated[
        Point | None,
        typer.Option(help="where an ultrasound probe touches, x y z in mm", metavar="X Y Z", rich_help_panel=PROBE),
    ] = None
    probe_axis: Annotated[
        Point | None, typer.Option(help="its direction into the body, x y z", metavar="X Y Z", rich_help_panel=PROBE)
    ] = None
    probe_depth: Annotated[
        float | None, typer.Option(help="mm beyond which its push moves nothing", rich_help_panel=PROBE)
    ] = None

    def probe(self, kind: Kind) -> ProbePressure | None:
        """The probe, if there is one. Raises OptionError where it is not told whole."""
        from disa.pose.probe_pressure import ProbePressure

        told = {f"--{name.replace('_', '-')}": value for name, value in vars(self).items()}
        check_together(
            {"--transform probe": None if kind is not Kind.PROBE else kind, **told}, "give all of them or none"
        )
        contact, axis, depth = self.probe_contact, self.probe_axis, self.probe_depth
        return ProbePressure(contact, axis, depth) if contact and axis and depth is not None else None


@dataclass(frozen=True)
class RegistrationArguments:
    """How `disa register` and `disa cohort` register."""

    transform: Annotated[
        Kind,
        typer.Option(
            "--transform", metavar="KIND", help="translation, rigid, or similarity, affine, probe, which begin as rigid"
        ),
    ] = Kind.RIGID
    deformable: Annotated[
        bool,
        typer.Option(
            "--deformable",
            help="a last stage, from where --transform ended, for what is not rigid",
            rich_help_panel=DEFORMATION,
        ),
    ] = False
    radius: Annotated[
        float | None,
        typer.Option(help="mm, the largest displacement of the deformation's search; 24", rich_help_panel=DEFORMATION),
    ] = None
    landmark_tolerance: Annotated[
        float | None,
        typer.Option(
            help="mm, how exact the deformation's landmarks are, a standard deviation; 2", rich_help_panel=DEFORMATION
        ),
    ] = None
    fold_free: Annotated[
        bool,
        typer.Option(
            "--fold-free", help="a deformation that folds nowhere, and its inverse", rich_help_panel=DEFORMATION
        ),
    ] = False
    write_maps: Annotated[
        bool,
        typer.Option(
            "--write-maps",
            help="write where the deformation grows, and where it is unsure",
            rich_help_panel=DEFORMATION,
        ),
    ] = False
    search: Annotated[
        Search, typer.Option(help="global: from many starts, or local: from one", metavar="WAY", rich_help_panel=SEARCH)
    ] = Search.GLOBAL
    starts: Annotated[int | None, typer.Option(help="poses to start from; 500", rich_help_panel=SEARCH)] = None
    rotation: Annotated[
        float | None,
        typer.Option(help="degrees about each axis, either way, of the starts; 40", rich_help_panel=SEARCH),
    ] = None
    translation: Annotated[
        float | None, typer.Option(help="mm along each axis, either way, of the starts; 150", rich_help_panel=SEARCH)
    ] = None
    spacing: Annotated[
        float | None, typer.Option(help="mm between the voxels that the network sees; 2 for a body, 1 for a block")
    ] = None
    fine_spacing: Annotated[float | None, typer.Option(help="mm, of a last stage; 1 is the most accurate")] = None
    stride: Annotated[
        Stride | None,
        typer.Option(help="voxels between fixed descriptors, of the deformation if there is one; 4, and 2 for it"),
    ] = None
    model: ModelOption = "disa-lc2"
    device: DeviceOption = Device.AUTO
    resample_sheared: ShearedOption = False
    seed: Annotated[int | None, typer.Option(help="of the starts; 0", rich_help_panel=SEARCH)] = None
    threads: Annotated[int, typer.Option(min=0, help="of the search; 0: all")] = 0

    def options(self, probe: ProbePressure | None = None) -> Options:
        """The same for the job, checked. Raises DISAError where something cannot be used or has no effect."""
        from disa.deform.options import DeformOptions
        from disa.pose.options import PoseOptions, SearchOptions
        from disa.report.job import Options

        shared: dict[str, Any] = {
            "spacing": self.spacing,
            "model": self.model,
            "providers": providers_of(self.device),
            "threads": self.threads,
        }
        stride = self._given("stride")
        searched = self._given("starts", "rotation", "translation", "seed")
        deformed = self._given("radius", "fold_free")
        everywhere = self.search is Search.GLOBAL
        _check_used(searched, everywhere, "--search global")
        _check_used([*deformed, *self._given("landmark_tolerance", "write_maps")], self.deformable, "--deformable")
        asked = {"transform": self.transform.value, "probe": probe, "fine_spacing": self.fine_spacing, **shared}
        if not self.deformable:
            asked |= stride
        pose = SearchOptions(**searched, **asked) if everywhere else PoseOptions(**asked)
        deformation = DeformOptions(**shared, **stride, **deformed) if self.deformable else None
        options = Options(pose, deformation, self.resample_sheared, self.write_maps, self.landmark_tolerance)
        options.check()
        return options

    def _given(self, *names: str) -> dict[str, Any]:
        """Those of some options that are given, by name."""
        values = {name: getattr(self, name) for name in names}
        return {
            name: int(value.value) if isinstance(value, Stride) else value
            for name, value in values.items()
            if value is not None and value is not False
        }


def _check_used(given: Iterable[str], has_effect: bool, needed: str) -> None:
    """Raises OptionError where options are given that nothing would come of."""
    for name in given:
        if not has_effect:
            raise OptionError(f"--{name.replace('_', '-')}: has an effect with {needed} only; add that or leave it out")
