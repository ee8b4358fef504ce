# SPDX-License-Identifier: Apache-2.0
"""Transforms in texts of elastix, FSL, greedy and C3D, against what their definitions say, computed here."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.cli.app import app
from disa.io.transform_files import read_transform
from helpers.commands import run

PLACES = np.array([[11.0, -7.0, 5.0], [3.0, 2.0, 1.0], [-4.0, 8.0, -6.0]])
HEAD = '// by elastix\n(FixedImageDimension 3)\n(MovingImageDimension 3)\n(HowToCombineTransforms "Compose")\n'
CENTRE = np.array((1.0, 2.0, 3.0))


def elastix(kind: str, numbers: np.ndarray | list[float], more: str = "", initial: str = "NoInitialTransform") -> str:
    written = " ".join(repr(float(number)) for number in numbers)
    return (
        f'{HEAD}(Transform "{kind}")\n(NumberOfParameters {len(numbers)})\n(TransformParameters {written})\n{more}'
        f'(InitialTransformParameterFileName "{initial}")\n'
    )


def turn(axis: int, angle: float) -> np.ndarray:
    """About one axis, radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    one, other = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[[one, other, one, other], [one, other, other, one]] = cosine, cosine, -sine, sine
    return matrix


def moved(path: Path) -> np.ndarray:
    transform = read_transform(path)
    return np.array([transform.TransformPoint(place) for place in PLACES.tolist()])


@pytest.mark.parametrize("is_zyx", [False, True])
def test_angles_of_elastix_turn_about_its_centre(tmp_path: Path, is_zyx: bool) -> None:
    more = f'(CenterOfRotationPoint 1 2 3)\n(ComputeZYX "{str(is_zyx).lower()}")\n'
    (tmp_path / "a.txt").write_text(elastix("EulerTransform", [0.1, -0.2, 0.3, 4.0, 5.0, 6.0], more))
    x, y, z = turn(0, 0.1), turn(1, -0.2), turn(2, 0.3)
    matrix = z @ y @ x if is_zyx else z @ x @ y
    np.testing.assert_allclose(moved(tmp_path / "a.txt"), (PLACES - CENTRE) @ matrix.T + CENTRE + (4, 5, 6), atol=1e-9)


def test_other_linear_transforms_of_elastix(tmp_path: Path) -> None:
    centre = "(CenterOfRotationPoint 1 2 3)\n"
    matrix, shift = np.array([[1.0, 0.1, 0.0], [0.2, 0.9, 0.0], [0.0, 0.3, 1.1]]), np.array((4.0, 5.0, 6.0))
    (tmp_path / "affine.txt").write_text(elastix("AffineTransform", [*matrix.ravel(), *shift], centre))
    expected = (PLACES - CENTRE) @ matrix.T + CENTRE + shift
    np.testing.assert_allclose(moved(tmp_path / "affine.txt"), expected, atol=1e-9)
    (tmp_path / "shift.txt").write_text(elastix("TranslationTransform", shift))
    np.testing.assert_allclose(moved(tmp_path / "shift.txt"), PLACES + shift, atol=1e-9)
    versor = np.array((0.0, np.sin(0.15), 0.0))
    (tmp_path / "similarity.txt").write_text(elastix("SimilarityTransform", [*versor, *shift, 1.2], centre))
    expected = 1.2 * (PLACES - CENTRE) @ turn(1, 0.3).T + CENTRE + shift
    np.testing.assert_allclose(moved(tmp_path / "similarity.txt"), expected, atol=1e-9)


def cubic(distance: np.ndarray) -> np.ndarray:
    """The cubic B-spline."""
    far = np.abs(distance)
    inner, outer = 2 / 3 - far**2 + far**3 / 2, (2 - far).clip(min=0) ** 3 / 6
    return np.where(far < 1, inner, outer)


def test_a_spline_of_elastix_after_the_pose_that_it_begins_with(tmp_path: Path) -> None:
    axes = turn(2, 0.3) @ turn(0, 0.2)
    size, spacing, origin = np.array((7, 8, 9)), np.array((10.0, 11.0, 12.0)), np.array((-25.0, -30.0, -45.0))
    numbers = np.random.default_rng(0).uniform(-2.0, 2.0, (3, 9, 8, 7))
    named = {"GridSize": size, "GridIndex": (0, 0, 0), "GridSpacing": spacing, "GridOrigin": origin}
    more = "".join(f"({name} {' '.join(map(str, values))})\n" for name, values in named.items())
    more += f"(GridDirection {' '.join(map(repr, axes.T.ravel().tolist()))})\n"
    more += '(BSplineTransformSplineOrder 3)\n(UseCyclicTransform "false")\n'
    (tmp_path / "0.txt").write_text(elastix("TranslationTransform", [1.0, -2.0, 0.5]))
    (tmp_path / "1.txt").write_text(elastix("BSplineTransform", numbers.ravel(), more, "/elsewhere/0.txt"))
    expected = []
    for place in np.add(PLACES, (1.0, -2.0, 0.5)):
        index = axes.T @ (place - origin) / spacing
        x, y, z = (cubic(np.arange(n) - at) for n, at in zip(size, index, strict=True))
        expected.append(place + np.einsum("czyx,z,y,x->c", numbers, z, y, x))
    np.testing.assert_allclose(moved(tmp_path / "1.txt"), expected, atol=1e-9)


SHIFT = elastix("TranslationTransform", [0.0] * 3, initial="a.txt")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (elastix("EulerTransform", [0.0] * 6), "lacks CenterOfRotationPoint"),
        (elastix("SplineKernelTransform", [0.0] * 6), "a transform of elastix of kind 'SplineKernelTransform'"),
        (elastix("TranslationTransform", [0.0] * 2), "TranslationTransform: expected 3 parameters"),
        (elastix("TranslationTransform", [np.nan] * 3), "TransformParameters: 'nan' is not a finite number"),
        (elastix("TranslationTransform", [0.0] * 3).replace("Dimension 3", "Dimension 2"), "expected a 3-D transform"),
        (elastix("TranslationTransform", [0.0] * 3) + "(UseBinary\n", "line 9: '(UseBinary'; expected (Name values)"),
        (SHIFT, "begins with 16 transforms"),
        (SHIFT.replace("Compose", "Add"), "is added to the transform that it begins with"),
        (elastix("BSplineTransform", [0.0], "(GridIndex 1 0 0)\n"), "a B-spline of another order"),
    ],
)
def test_what_elastix_has_and_itk_not_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(disa.RegistrationError) as caught:
        read_transform(tmp_path / "a.txt")
    assert str(caught.value).startswith(f"{tmp_path / 'a.txt'}: {says}") and "\n" not in str(caught.value)


MATRIX = np.array([[0.96, 0.1, -0.05, 3.0], [-0.12, 1.02, 0.2, -4.0], [0.03, -0.2, 0.97, 5.0], [0.0, 0.0, 0.0, 1.0]])


def write_matrix(path: Path) -> None:
    """As flirt does, with two spaces."""
    path.write_text("".join("  ".join(f"{number:.10f}" for number in row) + "  \n" for row in MATRIX))


def in_ras(places: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points of LPS under a matrix of RAS."""
    return ((places * (-1, -1, 1)) @ matrix[:3, :3].T + matrix[:3, 3]) * (-1, -1, 1)


@pytest.fixture
def points(tmp_path: Path) -> Path:
    np.savetxt(tmp_path / "points.csv", PLACES, delimiter=",")
    return tmp_path


def carried(folder: Path, *options: str) -> np.ndarray:
    result = run(app, ["apply", f"{folder}/a.mat", f"{folder}/points.csv", "-o", f"{folder}/moved.csv", *options])
    assert result.exit_code == 0, result.output
    return np.loadtxt(folder / "moved.csv", delimiter=",")


def test_a_matrix_of_greedy_is_in_ras(points: Path) -> None:
    write_matrix(points / "a.mat")
    np.testing.assert_allclose(carried(points, "--matrix-of", "greedy"), in_ras(PLACES, MATRIX), atol=2e-6)


@pytest.mark.parametrize(("fixed", "moving"), list(product(["left-handed", "right-handed"], repeat=2)))
def test_a_matrix_of_flirt_goes_by_both_images(points: Path, fixed: str, moving: str) -> None:
    write_matrix(points / "a.mat")
    frames = {}
    for name, hand, sizes in (("fixed", fixed, (2.0, 2.5, 3.0)), ("moving", moving, (1.5, 1.2, 2.0))):
        axes = turn(2, 0.2) @ turn(1, -0.1) @ np.diag([1.0 if hand == "right-handed" else -1.0, 1.0, 1.0])
        image = sitk.GetImageFromArray(np.zeros((9, 10, 11), np.float32))
        image.SetSpacing(sizes)
        image.SetDirection((np.diag([-1, -1, 1]) @ axes).ravel().tolist())
        image.SetOrigin((30.0, -20.0, 10.0))
        sitk.WriteImage(image, f"{points}/{name}.nii.gz")
        header = nibabel.load(f"{points}/{name}.nii.gz")
        to_ras = header.affine
        assert (np.linalg.det(to_ras) > 0) == (hand == "right-handed")
        to_scaled = np.diag([*header.header.get_zooms(), 1.0]).astype(float)
        if np.linalg.det(to_ras) > 0:
            to_scaled = np.array([[-1, 0, 0, 10 * sizes[0]], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]) @ to_scaled
        frames[name] = to_scaled @ np.linalg.inv(to_ras)
    matrix = np.linalg.inv(frames["moving"]) @ np.linalg.inv(MATRIX) @ frames["fixed"]
    options = ["--matrix-of", "flirt", "--reference", f"{points}/fixed.nii.gz", "--moving", f"{points}/moving.nii.gz"]
    np.testing.assert_allclose(carried(points, *options), in_ras(PLACES, matrix), atol=1e-4)


def test_a_matrix_that_does_not_say_whose_it_is_is_refused(points: Path) -> None:
    write_matrix(points / "a.mat")
    command = ["apply", f"{points}/a.mat", f"{points}/points.csv", "-o", f"{points}/moved.csv"]
    result = run(app, command)
    assert result.exit_code == 1 and "4 x 4 numbers, which do not say whose they are" in result.output
    result = run(app, [*command, "--matrix-of", "flirt"])
    assert result.exit_code == 2 and "needs both images" in result.output
