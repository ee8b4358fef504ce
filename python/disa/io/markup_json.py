# SPDX-License-Identifier: Apache-2.0
"""Markups of 3D Slicer, .mrk.json: points, lines, curves and angles, each of control points.

Source: Slicer's markups-schema-v1.0.3.json.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from disa.errors import ImageError
from disa.io.coordinate_systems import LPS_OF
from disa.io.kinds import check_file
from disa.io.numbers import number_of, shown

JSON_ENDING = ".mrk.json"

TYPES = ("Fiducial", "Line", "Angle", "Curve", "ClosedCurve")
"""That are nothing but their control points."""
_EXPECTED = "expected markups as 3D Slicer writes them"


@dataclass(frozen=True)
class MarkupJson:
    """Markups of a file.

    Attributes:
        positions: shape (n, 3), of the control points of all markups in their order, x, y, z in mm (LPS).
        content: of the file.
    """

    positions: npt.NDArray[np.float64]
    content: dict[str, Any]

    def moved_to(self, positions: npt.NDArray[np.float64]) -> str:
        """The same with other positions, mm (LPS), written in the systems that it has.

        What was measured of the old positions, as a line's length, is left out; Slicer measures again.
        """
        content = copy.deepcopy(self.content)
        for (markup, point), position in zip(_points_of(content), positions, strict=True):
            point["position"] = (position * LPS_OF[_system_of(markup)]).tolist()
            markup.pop("measurements", None)
        return json.dumps(content, indent=4, ensure_ascii=False) + "\n"


def read_markup_json(path: Path) -> MarkupJson:
    """The control points of a .mrk.json file.

    Raises:
        ImageError: it is missing, no such file, of planes or regions, has no points or one that is not placed, or a
            coordinate is no finite number.
    """
    check_file(path, _EXPECTED, ImageError)
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_refuse)
        if not isinstance(content, dict):
            raise TypeError
        positions = [_position_of(markup, point) for markup, point in _points_of(content)]
    except OSError as problem:
        raise ImageError(f"{path}: cannot be read: {problem.strerror}; {_EXPECTED}") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise ImageError(f"{path}: not JSON; {_EXPECTED}") from None
    except (KeyError, TypeError, AttributeError):
        raise ImageError(f"{path}: lacks markups with control points and their positions; {_EXPECTED}") from None
    except ValueError as problem:
        raise ImageError(f"{path}: {problem}") from None
    if not positions:
        raise ImageError(f"{path}: no points; {_EXPECTED}")
    return MarkupJson(np.array(positions), content)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a finite number; {_EXPECTED}")


def _points_of(content: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each markup with each of its control points."""
    for markup in content["markups"]:
        for point in markup["controlPoints"]:
            yield markup, point


def _system_of(markup: dict[str, Any]) -> str:
    return str(markup.get("coordinateSystem", "LPS"))


def _position_of(markup: dict[str, Any], point: dict[str, Any]) -> npt.NDArray[np.float64]:
    """In LPS. Raises ValueError with what cannot be taken."""
    kind, system = markup.get("type"), _system_of(markup)
    units = markup.get("coordinateUnits", "mm")
    if kind not in TYPES:
        raise ValueError(f"a markup of type {shown(str(kind))}; expected one of {', '.join(TYPES)}")
    if system not in LPS_OF or units not in ("mm", ["mm"]):
        raise ValueError(f"is in {shown(system)} and {shown(str(units))}; expected LPS or RAS, in mm")
    name = shown(str(point.get("label", "")))
    if point.get("positionStatus", "defined") != "defined":
        raise ValueError(f"control point {name} is not placed; place it or remove it")
    position = [number_of(str(value)) for value in point["position"]]
    if len(position) != 3:
        raise ValueError(f"control point {name} has {len(position)} coordinates; expected 3")
    found: npt.NDArray[np.float64] = np.array(position) * LPS_OF[system]
    return found
