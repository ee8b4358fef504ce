# SPDX-License-Identifier: Apache-2.0
"""Whole files of every kind that is read, damaged copies of them, and what may come of these."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

import disa
from disa.cohort.table import read_table
from disa.features.extract import FeatureVolume
from disa.io.images import load_image
from disa.io.point_tables import AXES, read_point_table
from disa.io.points import read_points
from disa.io.transform_files import read_transform
from disa.network.models import find_model
from disa.network.seal import read_sealed
from helpers.nifti_fields import ras_positions, write_field

WORDS = (
    b"nan", b"inf", b"-", b"1e999", b"1e308", b"0x1", b"\n", b"\r", b":", b",", b";", b'"', b"#", b"\0", b"\xff", b" ",
    b"\xef\xbb\xbf", b"Transform:", b"Parameters:", b"99999999999", b"-1", b"\x00\x00\x80\x7f", b"\xff\xff\xff\x7f",
)  # fmt: skip
"""What a damaged file holds here and there."""

Reader = Callable[[Path, bytes], bool]
"""Read a damaged file, and say whether something else came than stands there. Raises DISAError where it is refused."""


@dataclass(frozen=True)
class Seed:
    """A whole file.

    Attributes:
        name: of the file.
        content: its bytes.
        read: what reads it.
        share: how often it is taken.
    """

    name: str
    content: bytes
    read: Reader
    share: float = 1.0


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with one to four changes: bits, words, repeats, cuts."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        at = (
            int(rng.integers(len(changed) + 1)) if rng.random() < 0.5 else int(rng.integers(min(len(changed), 400) + 1))
        )
        end = min(at + int(rng.integers(1, 40)), len(changed))
        way = int(rng.integers(6))
        if way <= 1 and at < len(changed):
            changed[at] ^= 1 << int(rng.integers(8))
        elif way == 2:
            changed[at:at] = WORDS[int(rng.integers(len(WORDS)))]
        elif way == 3:
            word = WORDS[int(rng.integers(len(WORDS)))]
            changed[at : at + len(word)] = word
        elif way == 4:
            changed[at:at] = changed[at:end]
        elif rng.random() < 0.5:
            del changed[at:end]
        else:
            del changed[at:]
    return bytes(changed)


def seeds(folder: Path) -> list[Seed]:
    """One or more of each kind, made in a folder."""
    found = []
    euler = sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, -0.2, 0.3, (4.0, 5.0, 6.0))
    affine = sitk.AffineTransform((1.0, 0.1, 0.0, 0.0, 0.9, 0.2, 0.0, 0.0, 1.1), (1.0, 2.0, 1 / 3))
    spline = sitk.BSplineTransformInitializer(sitk.Image(9, 9, 9, sitk.sitkInt8), (2, 2, 2))
    composite = sitk.CompositeTransform([euler, affine])
    for name, transform in (
        ("euler.tfm", euler), ("affine.txt", affine), ("spline.tfm", spline), ("composite.tfm", composite),
        ("euler.mat", euler), ("affine.xfm", affine), ("euler.h5", euler), ("composite.h5", composite),
    ):  # fmt: skip
        sitk.WriteTransform(transform, str(folder / name))
        reader = _read_text_transform if name.endswith((".tfm", ".txt")) else _read_other_transform
        found.append(_seed(folder / name, reader, 0.1 if name.endswith(".h5") else 1.0))
    (folder / "elastix.txt").write_text(
        '(Transform "EulerTransform")\n(TransformParameters 0.1 -0.2 0.3 4 5 6)\n(CenterOfRotationPoint 1 2 3)\n'
    )
    found.append(_seed(folder / "elastix.txt", _read_other_transform))
    (folder / "points.fcsv").write_text("# CoordinateSystem = RAS\n1,1,2,3,0,0,0,1,1,1,0,a\n2,-4.5,5e1,6\n")
    (folder / "points.mrk.json").write_text(
        '{"markups": [{"type": "Fiducial", "coordinateSystem": "RAS", '
        '"controlPoints": [{"position": [1, -2.5, 3e1]}]}]}'
    )
    found += [_seed(folder / f"points{ending}", _read_markups) for ending in (".fcsv", ".mrk.json")]
    places = ras_positions()
    for name, values, first in (("positions.nii", places + 1, 0.0), ("displacements.nii", 0 * places + 1, 1.0)):
        write_field(folder / name, values, 1007, "NREG_TRANS", first)
        found.append(_seed(folder / name, _read_other_transform))
    frame = {"origin": (0.0, 0.0, 0.0), "spacing": (8.0, 8.0, 8.0), "direction": np.eye(3).ravel()}
    data, weights = np.ones((3, 3, 3, 16), np.int8), np.ones((3, 3, 3), np.float32)
    FeatureVolume(data=data, scale=0.01, weights=weights, **frame).save(folder / "a.disa")
    found.append(_seed(folder / "a.disa", lambda path, whole: FeatureVolume.load(path) and path.read_bytes() != whole))
    (folder / "points.csv").write_text('name,x,y,z\n"a, b",1,2,3\nc,-4.5,5e1,6\n')
    found.append(_seed(folder / "points.csv", _read_points))
    (folder / "pairs.csv").write_text("name,fixed,moving,truth\na,f.nii,m.nii,\nb,f.nii,n.nii,t.tfm\n")
    found.append(_seed(folder / "pairs.csv", lambda path, whole: not read_table(path)))
    image = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(6, 7, 8)).astype(np.float32))
    for name in ("a.nii", "a.nii.gz", "a.nrrd", "a.mha"):
        sitk.WriteImage(image, str(folder / name), useCompression=name.endswith("gz"))
        found.append(_seed(folder / name, lambda path, whole: load_image(path) is None))
    model = find_model("disa-lc2", 4).read_bytes()
    found.append(Seed("a-stride4.onnx", model, lambda path, whole: read_sealed(path) != whole, 0.2))
    return found


def _seed(path: Path, read: Reader, share: float = 1.0) -> Seed:
    return Seed(path.name, path.read_bytes(), read, share)


def _read_other_transform(path: Path, whole: bytes) -> bool:
    return not np.isfinite(read_transform(path).TransformPoint((1.0, 2.0, 3.0))).all()


def _read_text_transform(path: Path, whole: bytes) -> bool:
    """Whether other numbers came than stand in the text, read here word by word."""
    transform = read_transform(path)
    numbers: dict[str, list[float]] = {"Parameters": [], "FixedParameters": []}
    parts = 0
    for line in path.read_bytes().decode("latin-1").removeprefix("\xef\xbb\xbf").split("\n"):
        name, _, rest = line.partition(":")
        if name.strip() == "Transform":
            parts += "Composite" not in rest
        if name.strip() in numbers:
            numbers[name.strip()] += [float(word) for word in rest.split()]
    if transform.GetTransformEnum() == sitk.sitkComposite:
        composite = sitk.CompositeTransform(transform)
        made = [composite.GetNthTransform(index) for index in range(composite.GetNumberOfTransforms())]
    else:
        made = [transform]
    found = [number for part in made for number in part.GetParameters()]
    expected = numbers["Parameters"]
    same = len(made) == parts and len(found) == len(expected) and np.allclose(found, expected, rtol=1e-9, atol=1e-9)
    return not same


def _read_points(path: Path, whole: bytes) -> bool:
    """Whether another number or cell came than stands in the table, as Python's own reader has it."""
    points = read_point_table(path)
    rows = [row for row in csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")) if any(row)]
    names = [name.strip() for name in rows[0]]
    is_headed = any(name in (axis, axis.upper()) for axis in AXES for name in names)
    places = [names.index(axis if axis in names else axis.upper()) if is_headed else at for at, axis in enumerate(AXES)]
    expected = [[float(row[place]) for place in places] for row in rows[is_headed:]]
    again = list(csv.reader(io.StringIO(points.moved_to(points.positions), newline="")))
    others = [place for place in range(len(rows[0])) if place not in places]
    kept = [[row[place] for place in others] for row in rows] == [[row[place] for place in others] for row in again]
    return not kept or not np.array_equal(points.positions, expected)


def _read_markups(path: Path, whole: bytes) -> bool:
    points = read_points(path)
    path.write_text(points.moved_to(points.positions), encoding="utf-8")
    return not np.allclose(read_points(path).positions, points.positions, atol=1e-6)


def outcome(seed: Seed, path: Path) -> str:
    """What came of a damaged file: refused, accepted, different, or the backtrace of what nobody foresaw."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", disa.ImageWarning)  # it says what it did
            return "different" if seed.read(path, seed.content) else "accepted"
    except disa.DISAError as error:
        return "refused" if "\n" not in str(error) else f"more than a line: {error}"
    except Exception as error:  # noqa: BLE001 (that is what is looked for)
        return f"{type(error).__name__}: {error}"
