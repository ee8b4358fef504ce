# SPDX-License-Identifier: Apache-2.0
"""Transforms in the parameter texts of elastix (TransformParameters.0.txt), and those that they begin with.

Source: elastix manual, "The transform parameter file"; directions are stored axis by axis.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from disa.io.numbers import number_of, shown
from disa.io.transform_blocks import COMPOSITE, Block

_IS_ELASTIX = re.compile(rb"^\s*\(Transform\s", re.MULTILINE)
_LINE = re.compile(r"\(\s*(\w+)((?:\s+(?:\"[^\"]*\"|[^\s\"()]+))*)\s*\)")
_CHAIN = 16
"""Of transforms that begin with each other, at most."""

_LINEAR = {
    "TranslationTransform": "TranslationTransform_double_3_3",
    "EulerTransform": "Euler3DTransform_double_3_3",
    "SimilarityTransform": "Similarity3DTransform_double_3_3",
    "AffineTransform": "AffineTransform_double_3_3",
}
_SPLINES = ("BSplineTransform", "RecursiveBSplineTransform")
_INITIAL = ("InitialTransformParameterFileName", "InitialTransformParametersFileName")
_NONE = "NoInitialTransform"

Settings = Mapping[str, list[str]]


def is_elastix(path: Path) -> bool:
    """Whether a file is such a text. Raises OSError where it cannot be read."""
    return bool(_IS_ELASTIX.search(path.read_bytes()))


def blocks_of_elastix(path: Path) -> list[Block]:
    """The transform of a text, and those that it begins with, as ITK composes them.

    Raises:
        ValueError: it is cut short, or of a kind that ITK does not have.
        OSError: it, or one that it begins with, cannot be read.
    """
    blocks: list[Block] = []
    file: Path | None = path
    while file is not None:
        if len(blocks) == _CHAIN:
            raise ValueError(f"begins with {_CHAIN} transforms, one with the other; expected fewer")
        settings = _settings_of(file)
        blocks.append(_block_of(settings))
        file = _initial_of(settings, file)
        if file is not None and _word(settings, "HowToCombineTransforms", "Compose") != "Compose":
            raise ValueError("is added to the transform that it begins with; expected one that is composed with it")
    return blocks if len(blocks) == 1 else [Block(f"{COMPOSITE}_double_3_3", (), ()), *blocks]


def _settings_of(path: Path) -> Settings:
    """Every parameter by its name, as words."""
    found = {}
    for at, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
        text = line.split("//")[0] if '"' not in line else re.sub(r"\)\s*//.*$", ")", line)
        if not text.strip():
            continue
        match = _LINE.fullmatch(text.strip())
        if not match:
            raise ValueError(f"line {at}: {shown(text.strip())}; expected (Name values) as elastix writes it")
        found[match[1]] = next(csv.reader([match[2].strip()], delimiter=" ", skipinitialspace=True), [])
    return found


def _word(settings: Settings, name: str, default: str) -> str:
    return settings.get(name, [default])[0]


def _numbers(settings: Settings, name: str) -> list[float]:
    if name not in settings:
        raise ValueError(f"lacks {name}; expected a transform as elastix writes it")
    try:
        return [number_of(word) for word in settings[name]]
    except ValueError as error:
        raise ValueError(f"{name}: {error}; write the transform again") from None


def _block_of(settings: Settings) -> Block:
    """Raises ValueError unless ITK has that transform, in 3-D."""
    kind = _word(settings, "Transform", "")
    if {_word(settings, f"{name}ImageDimension", "3") for name in ("Fixed", "Moving")} != {"3"}:
        raise ValueError("expected a 3-D transform, got one of another dimension")
    if _word(settings, "UseBinaryFormatForTransformationParameters", "false") == "true":
        raise ValueError("keeps its parameters in a file of bytes; have elastix write them as text")
    if kind in _LINEAR:
        return Block(_LINEAR[kind], _numbers(settings, "TransformParameters"), _centre_of(settings, kind))
    if kind not in _SPLINES:
        known = ", ".join((*_LINEAR, *_SPLINES))
        raise ValueError(f"a transform of elastix of kind {shown(kind)}; expected one of {known}")
    order, cyclic = _word(settings, "BSplineTransformSplineOrder", "3"), _word(settings, "UseCyclicTransform", "false")
    if order != "3" or cyclic != "false" or any(_numbers(settings, "GridIndex")):
        raise ValueError("a B-spline of another order, or that is cyclic or has an index; expected a plain cubic one")
    names = ("GridSize", "GridOrigin", "GridSpacing", "GridDirection")
    size, origin, spacing, axes = (_numbers(settings, name) for name in names)
    if [len(size), len(origin), len(spacing), len(axes)] != [3, 3, 3, 9]:
        raise ValueError(f"{', '.join(names)}: expected 3, 3, 3 and 9 numbers; write the transform again")
    directions = np.reshape(axes, (3, 3)).T.ravel().tolist()
    fixed = [*size, *origin, *spacing, *directions]
    return Block("BSplineTransform_double_3_3", _numbers(settings, "TransformParameters"), fixed)


def _centre_of(settings: Settings, kind: str) -> list[float]:
    """Fixed parameters of a linear transform; of angles also in which order they turn."""
    if kind == "TranslationTransform":
        return []
    centre = _numbers(settings, "CenterOfRotationPoint")
    turns_by_zyx = _word(settings, "ComputeZYX", "false") == "true"
    return [*centre, float(turns_by_zyx)] if kind == "EulerTransform" else centre


def _initial_of(settings: Settings, path: Path) -> Path | None:
    """The file of the transform that it begins with: where it says, or beside it."""
    name = next((settings[key][0] for key in _INITIAL if settings.get(key)), _NONE)
    if name in (_NONE, ""):
        return None
    said = path.parent / name
    return said if said.is_file() else path.parent / Path(name).name
