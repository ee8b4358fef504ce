# SPDX-License-Identifier: Apache-2.0
"""Tables of points: every cell comes out as it went in, or one line says where it does not."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest

import disa
from disa.io.points import read_points


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x,y,z\n1,2,3\n", "x,y,z\n1.000000,2.000000,4.000000\n"),
        ("\ufeffx,y,z\r\n1,2,3\r\n", "x,y,z\n1.000000,2.000000,4.000000\n"),
        ('x,label,y,z\n1,"femur, left",2,3\n', 'x,label,y,z\n1.000000,"femur, left",2.000000,4.000000\n'),
        ("X,Y, Z\n1,2,3\n", "X,Y, Z\n1.000000,2.000000,4.000000\n"),
        ("X,x,y,z\nfemur,1,2,3\n", "X,x,y,z\nfemur,1.000000,2.000000,4.000000\n"),
        ('n,x,y,z\n"a\r b",1,2,3\n', 'n,x,y,z\n"a\r b",1.000000,2.000000,4.000000\n'),
        ("x,y,z,,\n1,2,3,,\n\n", "x,y,z,,\n1.000000,2.000000,4.000000,,\n"),
        ("n,x, y, z\nM\u00fcller, 1, 2e0, +3.\n", "n,x, y, z\nM\u00fcller,1.000000,2.000000,4.000000\n"),
    ],
)
def test_other_cells_are_kept_to_the_letter(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "p.csv").write_bytes(text.encode())
    points = read_points(tmp_path / "p.csv")
    np.testing.assert_array_equal(points.positions, [[1.0, 2.0, 3.0]])
    assert points.moved_to(points.positions + np.array((0.0, 0.0, 1.0))) == expected
    assert len(list(csv.reader(io.StringIO(expected, newline="")))) == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x,y,z,label\n1,2,3,tibia\n4,5,6,femur, left\n", "line 3: has 5 cells, the header 4; put a cell with a comma"),
        ("x,y,z,label\n1,2,3,femur, left\n4,5,6,tibia\n", "line 2: has 5 cells, the header 4"),
        ("x,y,z,label\n1,2,3\n", "line 2: has 3 cells, the header 4"),
        ("x,y,z\n1,2\n", "line 2: has 2 cells, the header 3"),
        ("x,y,z,x\n1,2,3,4\n", "line 1: column x is there 2 times; expected once"),
        ("x,y,z\n1,,3\n", "line 2, column y: the cell is empty; expected a number"),
        ("x,y,z\n\n1,2,3\n1,2,nan\n", "line 4, column z: 'nan' is not a finite number"),
        ("x,y,z\n1,2,inf\n", "line 2, column z: 'inf' is not a finite number"),
        ("x,y,z\n1,2,1e308\n", "line 2, column z: '1e308' is beyond 1e+09 mm"),
        ("x,y,z\n1,two,3\n", "line 2, column y: 'two' is not a finite number"),
        ("x,y,z\n1,1_0,3\n", "line 2, column y: '1_0' is not a finite number"),
        ('x,y,z\n"1,5",2,3\n', "line 2, column x: '1,5' is not a finite number"),
        ("x;y;z\n1;2;3\n", "line 1: cells are separated by semicolons; expected commas"),
        ("x\ty\tz\n1\t2\t3\n", "line 1: cells are separated by tabs; expected commas"),
        ("X,Y,Zed\n1,2,3\n", "lacks the column z, has 'X, Y, Zed'; expected a CSV table"),
        ("X,y,z,X\n1,2,3,4\n", "line 1: column x is there 2 times; expected once"),
        ('x,y,z\n1,2,"3\n', "line 2: unexpected end of data; expected a CSV table"),
        ("x,y,z\n", "no points; expected a CSV table"),
        ("\n\n", "has no header; expected a CSV table"),
        ("", "is empty; expected a CSV table"),
        ("x,y,z,n\n1,2,3,a\n1,2,3,\xfc\n", "line 3: not UTF-8; save the table as UTF-8"),
        ("x,y,z,n\n1,2,3,\0\n", ""),
        ("x,y,z\n1,2," + 200_000 * "3" + "\n", "line 2: field larger than field limit"),
    ],
)
def test_what_is_unclear_is_one_line_with_its_place(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(disa.ImageError) as caught:
        read_points(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: {says}") and "\n" not in said


def test_what_is_no_file_is_one_line_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name, says in (("pipe.csv", "is a pipe"), ("none.csv", "no such file"), (".", "is a folder")):
        with pytest.raises(disa.ImageError, match=f"{says}; expected a CSV table"):
            read_points(tmp_path / name)


LIST = "# CoordinateSystem = LPS\n"
MARKUPS = '{"markups": [{"type": "Fiducial", "controlPoints": [{"label": "a", "position": [1, 2, 3]}]}]}'


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.fcsv", "1,1,2,3\n", "lacks the line CoordinateSystem"),
        ("p.fcsv", "# CoordinateSystem = 2\n1,1,2,3\n", "is in '2'; expected LPS or RAS, in mm"),
        ("p.fcsv", f"{LIST}1,1,2\n", "line 2: has 3 cells"),
        ("p.fcsv", f"{LIST}1,1,nan,3\n", "line 2: 'nan' is not a finite number"),
        ("p.fcsv", LIST, "no points"),
        ("p.mrk.json", MARKUPS[:-1], "not JSON"),
        ("p.mrk.json", "[" * 100_000, "not JSON"),
        ("p.mrk.json", "[]", "lacks markups"),
        ("p.mrk.json", '{"markups": 3}', "lacks markups"),
        ("p.mrk.json", '{"markups": []}', "no points"),
        ("p.mrk.json", MARKUPS.replace("1", "NaN"), "NaN is not a finite number"),
        ("p.mrk.json", MARKUPS.replace("1,", "true,"), "'True' is not a finite number"),
        ("p.mrk.json", MARKUPS.replace("1,", ""), "control point 'a' has 2 coordinates"),
        ("p.mrk.json", MARKUPS.replace("Fiducial", "ROI"), "a markup of type 'ROI'"),
        ("p.mrk.json", MARKUPS.replace('"type"', '"coordinateSystem": "IJK", "type"'), "is in 'IJK' and 'mm'"),
        ("p.mrk.json", MARKUPS.replace('"type"', '"coordinateUnits": "um", "type"'), "is in 'LPS' and 'um'"),
        (
            "p.mrk.json",
            MARKUPS.replace('"label"', '"positionStatus": "undefined", "label"'),
            "control point 'a' is not placed",
        ),
        ("p.csv", "1,2,3\n4,5\n", "line 2: has 2 cells, the first line 3"),
    ],
)
def test_points_that_are_unclear_are_one_line(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(disa.ImageError) as caught:
        read_points(tmp_path / name)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / name}: {says}") and "\n" not in said
