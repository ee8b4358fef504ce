# SPDX-License-Identifier: Apache-2.0
"""Arguments that commands share, as dataclasses whose fields typer sees one by one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from disa.cli.common import (
    Device,
    DeviceOption,
    Kind,
    ModelOption,
    Search,
    SeriesOption,
    ShearedOption,
    Stride,
    providers_of,
)

if TYPE_CHECKING:
    from disa.pose.probe_pressure import ProbePressure
    from disa.report.job import Inputs, Options

Point = tuple[float, float, float]


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

    fixed: Annotated[Path, typer.Argument(help="image file or folder with one DICOM series")]
    moving: Annotated[Path, typer.Argument(help="the image that is carried onto it")]
    initial_transform: Annotated[
        Path | None, typer.Option(help="to start from, or about; centre on centre if not given")
    ] = None
    fixed_mask: Annotated[Path | None, typer.Option(help="image; only where it is not 0 is compared")] = None
    moving_mask: Annotated[Path | None, typer.Option(help="image; where it is 0 counts as outside")] = None
    fixed_landmarks: Annotated[Path | None, typer.Option(help="CSV table x, y, z in mm (LPS), for the report")] = None
    moving_landmarks: Annotated[Path | None, typer.Option(help="the same places in the moving image")] = None
    truth: Annotated[Path | None, typer.Option(help="the true transform, to measure the result by")] = None
    fixed_series: SeriesOption = None
    moving_series: SeriesOption = None

    def inputs(self) -> Inputs:
        """The same for the job."""
        from disa.report.job import Inputs

        return Inputs(**vars(self))


@dataclass(frozen=True)
class ProbeArguments:
    """Where an ultrasound probe pushes."""

    probe_contact: Annotated[Point | None, typer.Option(help="where an ultrasound probe touches, x y z in mm")] = None
    probe_axis: Annotated[Point | None, typer.Option(help="its direction into the body, x y z")] = None
    probe_depth: Annotated[float | None, typer.Option(help="mm beyond which its push moves nothing")] = None

    def probe(self, kind: Kind) -> ProbePressure | None:
        """The probe, if there is one. Raises ConfigError where it is not told whole."""
        from disa.errors import ConfigError
        from disa.pose.probe_pressure import ProbePressure

        given = [kind is Kind.PROBE, *(value is not None for value in vars(self).values())]
        if any(given) and not all(given):
            raise ConfigError(
                "--transform probe, --probe-contact, --probe-axis and --probe-depth go together; give all of them or "
                "none"
            )
        contact, axis, depth = self.probe_contact, self.probe_axis, self.probe_depth
        return ProbePressure(contact, axis, depth) if contact and axis and depth is not None else None


@dataclass(frozen=True)
class RegistrationArguments:
    """How `disa register` and `disa cohort` register."""

    transform: Annotated[Kind, typer.Option("--transform", help="from fixed to moving points")] = Kind.RIGID
    deformable: Annotated[bool, typer.Option("--deformable", help="then deform, for what is not rigid")] = False
    search: Annotated[Search, typer.Option(help="global: from 500 starts; local: from one")] = Search.GLOBAL
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
    seed: Annotated[int, typer.Option(help="of the starts")] = 0
    threads: Annotated[int, typer.Option(min=0, help="of the search; 0: all")] = 0

    def options(self, probe: ProbePressure | None = None) -> Options:
        """The same for the job, checked. Raises DISAError where something cannot be used."""
        from disa.deform.options import DeformOptions
        from disa.pose.options import PoseOptions, SearchOptions
        from disa.report.job import Options

        shared: dict[str, Any] = {
            "spacing": self.spacing,
            "model": self.model,
            "providers": providers_of(self.device),
            "threads": self.threads,
        }
        stride: dict[str, Any] = {} if self.stride is None else {"stride": int(self.stride.value)}
        asked = {"transform": self.transform.value, "probe": probe, "fine_spacing": self.fine_spacing, **shared}
        if not self.deformable:
            asked |= stride
        pose = SearchOptions(seed=self.seed, **asked) if self.search is Search.GLOBAL else PoseOptions(**asked)
        options = Options(pose, DeformOptions(**shared, **stride) if self.deformable else None, self.resample_sheared)
        options.check()
        return options
