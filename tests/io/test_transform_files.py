# SPDX-License-Identifier: Apache-2.0
"""Transform files: what is read is what stands there, and the rest is refused in one line before ITK has it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.io.transform_files import read_transform
from helpers.nifti_fields import ras_positions, write_field

EULER = sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, -0.2, 0.3, (4.0, 5.0, 6.0))
PLACE = (11.0, -7.0, 5.0)
TEXT = "#Insight Transform File V1.0\n#Transform 0\nTransform: Euler3DTransform_double_3_3\n"
NUMBERS = "Parameters: 0.1 -0.2 0.3 4 5 6\nFixedParameters: 1 2 3 0\n"


def refusal(path: Path) -> str:
    with pytest.raises(disa.RegistrationError) as caught:
        read_transform(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ") and "\n" not in said
    return said.removeprefix(f"{path}: ")


@pytest.mark.parametrize("ending", [".tfm", ".txt", ".h5", ".hdf5", ".mat"])
@pytest.mark.parametrize(
    "transform",
    [
        EULER,
        sitk.TranslationTransform(3, (1.0, 2.0, 1e-300)),
        sitk.VersorRigid3DTransform((0.0, 0.0, 1.0), 0.3, (1.0, 2.0, 3.0)),
        sitk.Similarity3DTransform(1.2, (0.0, 0.0, 1.0), 0.3, (1.0, 2.0, 3.0)),
        sitk.AffineTransform((1.0, 0.1, 0.0, 0.0, 0.9, 0.2, 0.0, 0.0, 1.1), (1.0, 2.0, 1 / 3)),
        sitk.BSplineTransformInitializer(sitk.Image(9, 9, 9, sitk.sitkInt8), (4, 4, 4)),
    ],
    ids=lambda transform: transform.GetName(),
)
def test_what_is_read_is_what_was_written(tmp_path: Path, transform: sitk.Transform, ending: str) -> None:
    sitk.WriteTransform(transform, f"{tmp_path}/a{ending}")
    found = read_transform(tmp_path / f"a{ending}")
    assert found.GetParameters() == transform.GetParameters()
    assert found.GetFixedParameters() == transform.GetFixedParameters()
    assert found.TransformPoint(PLACE) == transform.TransformPoint(PLACE)


def test_a_composite_and_a_minc_transform_are_read(tmp_path: Path) -> None:
    composite = sitk.CompositeTransform([EULER, sitk.TranslationTransform(3, (1.0, 2.0, 3.0))])
    affine = sitk.AffineTransform((1.0, 0.1, 0.0, 0.0, 0.9, 0.2, 0.0, 0.0, 1.1), (1.0, 2.0, 3.0))
    for name, transform in (("a.tfm", composite), ("a.h5", composite), ("a.xfm", affine)):
        sitk.WriteTransform(transform, f"{tmp_path}/{name}")
        found = read_transform(tmp_path / name).TransformPoint(PLACE)
        np.testing.assert_allclose(found, transform.TransformPoint(PLACE), atol=1e-6)


@pytest.mark.parametrize(
    "comment", ["# Müller".encode(), "# Müller".encode("latin-1"), b"# \xff\xfe\x00 Parameters: 1"]
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_comment_may_be_of_any_bytes(tmp_path: Path, comment: bytes, mark: bytes, end: bytes) -> None:
    path = tmp_path / "a.tfm"
    path.write_bytes(mark + TEXT.encode().replace(b"\n", end) + comment + end + NUMBERS.encode().replace(b"\n", end))
    np.testing.assert_allclose(read_transform(path).TransformPoint(PLACE), EULER.TransformPoint(PLACE), atol=1e-12)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TEXT + NUMBERS.replace("4 5 6", "nan 5 6"), "line 4: 'nan' is not a finite number"),
        (TEXT + NUMBERS.replace("4 5 6", "4 -inf 6"), "line 4: '-inf' is not a finite number"),
        (TEXT + NUMBERS.replace("4 5 6", "4 5 1e308"), "line 4: '1e308' is beyond 1e+09 mm"),
        (TEXT + NUMBERS.replace("4 5 6", "4 5 1e999"), "line 4: '1e999' is beyond"),
        (TEXT + NUMBERS.replace("4 5 6", "4 5 1_0"), "line 4: '1_0' is not a finite number"),
        (TEXT + NUMBERS.replace("4 5 6", "4 5 0x1"), "line 4: '0x1' is not a finite number"),
        (TEXT + NUMBERS.replace("4 5 6", "4 5 ٣"), "line 4: "),
        (
            TEXT + NUMBERS.replace("4 5 6", "4 5"),
            "Euler3DTransform: expected 6 parameters and 3 fixed ones, got 5 and 4",
        ),
        (
            TEXT + NUMBERS.replace("4 5 6", "4 5 6 7"),
            "Euler3DTransform: expected 6 parameters and 3 fixed ones, got 7 and 4",
        ),
        (
            TEXT + NUMBERS.split("\n", maxsplit=1)[0],
            "Euler3DTransform: expected 6 parameters and 3 fixed ones, got 6 and 0",
        ),
        (
            TEXT + NUMBERS + "Parameters: 1 1 1 1 1 1\n",
            "line 6: 'Parameters: 1 1 1 1 1 1'; expected Transform, and each",
        ),
        (TEXT + NUMBERS + "and more\n", "line 6: 'and more'; expected Transform"),
        (TEXT + NUMBERS + TEXT + NUMBERS, "holds 2 transforms, of which ITK takes the first alone"),
        ("Transform: CompositeTransform_double_3_3\n", "a composite of no transforms"),
        (TEXT.replace("Euler3D", "Elastic") + NUMBERS, "'ElasticTransform_double_3_3' is no transform that is known"),
        ("Transform: AffineTransform_double_2_2\nParameters: 1 0 0 1 0 0\nFixedParameters: 0 0\n", "expected a 3-D"),
        (
            "Transform: AffineTransform_double_3_3\nParameters: 1 0 0 0 1 0 0 0 0 1 2 3\nFixedParameters: 0 0 0\n",
            "flattens",
        ),
        ("Transform: ScaleTransform_double_3_3\nParameters: 1 1 0\nFixedParameters: 0 0 0\n", "flattens space"),
        (
            "Transform: BSplineTransform_double_3_3_3\nParameters: 1\nFixedParameters: 5 5 5\n",
            "BSplineTransform: expected a grid of 18",
        ),
        (
            "Transform: CompositeTransform_double_3_3\n" + NUMBERS + TEXT + NUMBERS,
            "a composite with numbers of its own",
        ),
        ("Transform\n" + TEXT + NUMBERS, "not readable as a transform"),
        (TEXT + NUMBERS + "Transform:\n", "line 6: 'Transform:'; expected Transform"),
        ("Transform: Euler2DTransform_double_3_3\n" + NUMBERS, "'Euler2DTransform_double_3_3' is no transform"),
        ("not a transform\n", "not readable as a transform; expected .tfm"),
        ("", "is empty; expected a transform"),
    ],
)
def test_a_text_that_itk_crashes_at_or_misreads_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.tfm").write_text(text, encoding="utf-8")
    assert refusal(tmp_path / "a.tfm").startswith(says)


def column(name: str, numbers: list[float]) -> bytes:
    """As MATLAB 4 has it."""
    return (
        struct.pack("<5i", 0, len(numbers), 1, 0, len(name) + 1) + name.encode() + b"\0" + np.array(numbers).tobytes()
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (column("Euler3DTransform_double_3_3", [0.0] * 5) + column("fixed", [0.0] * 3), "Euler3DTransform: expected 6"),
        (column("Euler3DTransform_double_3_3", [np.nan] * 6) + column("fixed", [0.0] * 3), "'Euler3DTransform_double"),
        (column("Euler3DTransform_double_3_3", [0.0] * 6), "expected for each transform its parameters"),
        (column("Euler3DTransform_double_3_3", [0.0] * 6)[:-1], "ends early"),
        (b"MATLAB 5.0 MAT-file, written by another tool " * 9, "not readable as a transform"),
    ],
)
def test_a_matrix_file_is_counted_before_it_is_read(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.mat").write_bytes(content)
    assert refusal(tmp_path / "a.mat").startswith(says)


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ("1 0 0 0 0 1 0 0 0 0 nan 0", "'nan' is not a finite number"),
        ("1 0 0 0 0 1 0 0 0 0 1", "expected 3 rows of 4 numbers, got 11"),
        ("1 0 0 0 0 1 0 0 0 0 0 0", "flattens space"),
        ("", "expected 3 rows of 4 numbers, got 0"),
    ],
)
def test_a_minc_text_is_checked(tmp_path: Path, matrix: str, says: str) -> None:
    text = f"MNI Transform File\n% by hand\n\nTransform_Type = Linear;\nLinear_Transform =\n{matrix};\n"
    (tmp_path / "a.xfm").write_text(text)
    assert refusal(tmp_path / "a.xfm").startswith(says)


def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.h5").mkdir()
    os.mkfifo(tmp_path / "b.tfm")
    (tmp_path / "c.nii").touch()
    said = {name: refusal(tmp_path / name) for name in ("a.h5", "b.tfm", "c.nii", "none.mat")}
    assert said == {
        "a.h5": "is a folder; expected a transform",
        "b.tfm": "is a pipe; expected a transform",
        "c.nii": "is empty; expected a transform",
        "none.mat": "no such file; expected a transform",
    }


def test_numbers_that_are_not_finite_are_refused_in_hdf5_too(tmp_path: Path) -> None:
    for name, value in (("nan.h5", np.nan), ("inf.h5", np.inf), ("far.h5", 1e308)):
        sitk.WriteTransform(sitk.TranslationTransform(3, (value, 0.0, 0.0)), f"{tmp_path}/{name}")
        assert refusal(tmp_path / name).startswith("expected finite parameters")


def test_a_file_that_kills_its_reader_does_not_kill_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitk.WriteTransform(EULER, f"{tmp_path}/a.h5")
    monkeypatch.setattr("disa.io.transform_files._TRIAL", "import os; os.kill(os.getpid(), 11)")
    assert refusal(tmp_path / "a.h5").startswith("not readable as a transform")
    monkeypatch.setattr("disa.io.transform_files._TRIAL", "import time; time.sleep(60)")
    monkeypatch.setattr("disa.io.transform_files._PATIENCE", 0.2)
    assert refusal(tmp_path / "a.h5").startswith("damaged, reading it does not end")


SHIFT = np.array((1.0, 2.0, 3.0))
IN_LPS = np.array((-1.0, -2.0, 3.0))
"""The same displacement."""


@pytest.mark.parametrize(
    ("name", "code", "first", "is_position"),
    [
        ("NREG_TRANS", 1007, 0, True),
        ("NREG_TRANS", 1007, 1, False),
        ("Mapping", 1007, 0, True),
        ("", 1006, 0, False),
    ],
)
def test_fields_of_other_tools_are_read_as_what_they_are(
    tmp_path: Path, name: str, code: int, first: int, is_position: bool
) -> None:
    places = ras_positions()
    write_field(tmp_path / "a.nii", SHIFT + (places if is_position else 0 * places), code, name, first)
    at = places[3, 4, 5] * (-1, -1, 1)
    np.testing.assert_allclose(read_transform(tmp_path / "a.nii").TransformPoint(at.tolist()), at + IN_LPS, atol=1e-5)


def test_fields_of_something_else_are_refused(tmp_path: Path) -> None:
    places = ras_positions()
    path = tmp_path / "a.nii"
    for first in (2, 3, 4, 5, 6):
        write_field(path, 0 * places, 1007, "NREG_TRANS", first)
        assert refusal(path).startswith(f"a grid or velocities of NiftyReg ('NREG_TRANS', kind {first})")
    write_field(path, 0 * places, 1007, "NREG_\nTRANS", 1)
    assert refusal(path).startswith("a grid or velocities of NiftyReg ('NREG_\\nTRANS'")
    for start in (0, 1, -1e30, np.nan, np.inf):
        write_field(path, 0 * places, 1007)
        content = bytearray(path.read_bytes())
        content[108:112] = np.array([start], "<f4").tobytes()
        path.write_bytes(content)
        try:
            read_transform(path)
        except disa.RegistrationError as error:
            assert "\n" not in str(error)
    write_field(path, 0 * places, 2006)
    assert refusal(path).startswith("a warp of FSL (intent 2006)")
    for signs in ((1, 1, 1), (-1, -1, 1)):
        write_field(path, (places + SHIFT) * signs, 1007)
        assert refusal(path).startswith("holds positions, it seems")
    values = 0 * places
    values[2, 3, 4, 1] = np.nan
    write_field(path, values, 1007)
    assert refusal(path).startswith("expected finite displacements")


def test_a_field_that_stretches_the_body_is_no_field_of_positions(tmp_path: Path) -> None:
    places = ras_positions() * (-1, -1, 1)
    write_field(tmp_path / "a.nii", 0.4 * places, 1007)
    at = places[3, 4, 5]
    np.testing.assert_allclose(read_transform(tmp_path / "a.nii").TransformPoint(at.tolist()), 1.4 * at, atol=1e-5)


def test_simpleitk_does_crash_at_what_is_checked_for(tmp_path: Path) -> None:
    """Else the checks could go."""
    (tmp_path / "a.tfm").write_text(TEXT + NUMBERS.replace("0.1", "nan"))
    command = [sys.executable, "-c", f"import SimpleITK; SimpleITK.ReadTransform({str(tmp_path / 'a.tfm')!r})"]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
