# SPDX-License-Identifier: Apache-2.0
"""`disa register`: what it writes, what it refuses, and how it is interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

import itk
from disa.cli.app import app
from disa.deform.options import DeformOptions
from disa.errors import ConfigError
from disa.pose.options import SearchOptions
from disa.progress import Position
from disa.report.job import Request
from helpers.images import smooth_noise

pytestmark = pytest.mark.usefixtures("small_pictures")

TRUTH = sitk.Euler3DTransform((40.0, 36.0, 37.0), 0.05, -0.04, 0.06, (5.0, -4.0, 3.0))
COARSE = ["--search", "local", "--spacing", "4"]
"""What takes least, where it does not matter how near the pose comes."""
PLACES = ((30.0, 30.0, 30.0), (50.0, 40.0, 40.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair, landmarks and the true transform."""
    folder = tmp_path_factory.mktemp("pair")
    fixed = smooth_noise(3)
    moving = sitk.Resample(
        fixed, (46, 42, 40), TRUTH.GetInverse(), sitk.sitkLinear, (-5.0, -4.0, -6.0), (2.0, 2.0, 2.4)
    )
    for name, image in (("fixed", fixed), ("moving", moving)):
        sitk.WriteImage(image, f"{folder}/{name}.nii.gz")
    sitk.WriteImage(sitk.Abs(fixed), f"{folder}/weights.nii.gz")
    for name, points in (("fixed", PLACES), ("moving", [TRUTH.TransformPoint(place) for place in PLACES])):
        lines = [",".join(map(str, point)) for point in points]
        (folder / f"{name}.csv").write_text("\n".join(["x,y,z", *lines]) + "\n")
    sitk.WriteTransform(TRUTH, f"{folder}/true.tfm")
    return folder


def command(folder: Path, *options: str) -> list[str]:
    return ["register", f"{folder}/fixed.nii.gz", f"{folder}/moving.nii.gz", *options]


def moved_by_itk(path: Path) -> np.ndarray:
    """Where the transform that ITK reads takes the landmarks."""
    transform = itk.transformread(str(path))[0]
    return np.array([list(transform.TransformPoint(place)) for place in PLACES])


def moved_by_sitk(path: Path) -> np.ndarray:
    transform = sitk.ReadTransform(str(path))
    return np.array([transform.TransformPoint(place) for place in PLACES])


def test_everything_is_written_so_that_other_tools_read_it(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    landmarks = ["--fixed-landmarks", f"{folder}/fixed.csv", "--moving-landmarks", f"{folder}/moving.csv"]
    options = ["-o", str(out), "--search", "local", "--truth", f"{folder}/true.tfm", *landmarks, "--json"]
    ran = CliRunner().invoke(app, command(folder, *options))
    assert ran.exit_code == 0, ran.output
    assert ran.stderr == ""
    about = json.loads((out / "result.json").read_text())
    assert json.loads(ran.stdout) == about
    assert sorted(p.name for p in out.iterdir()) == sorted(about["files"])
    errors = about["landmark_errors_mm"]
    assert np.mean(errors["after"]) < 1.5 < np.mean(errors["before"])
    assert about["errors_mm"]["after"]["mean"] < 1.5 < about["errors_mm"]["before"]["mean"]
    assert sitk.ReadImage(f"{out}/moved.nii.gz").GetSize() == sitk.ReadImage(f"{folder}/fixed.nii.gz").GetSize()
    assert about["trace"][-1][-1] == about["value"]
    assert all(values == sorted(values, reverse=True) for values in about["trace"])
    true = np.array([TRUTH.TransformPoint(place) for place in PLACES])
    for name in ("transform.h5", "transform.tfm"):
        np.testing.assert_allclose(np.linalg.norm(moved_by_sitk(out / name) - true, axis=1), errors["after"], atol=1e-6)
        np.testing.assert_allclose(moved_by_itk(out / name), moved_by_sitk(out / name), atol=1e-9)
    report = (out / "report.html").read_text()
    assert report.count("<polyline") == len(about["trace"]) and "Distance from the true transform" in report


def test_a_push_a_pose_and_a_deformation_are_one_file(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    probe = ["--transform", "probe", "--probe-contact", "40", "36", "-2", "--probe-axis", "0", "0", "1"]
    options = [*COARSE, *probe, "--probe-depth", "60", "--deformable", "--stride", "4", "-o", str(out)]
    options += ["--radius", "16", "--fold-free", "--fixed-weights", f"{folder}/weights.nii.gz"]
    ran = CliRunner().invoke(app, command(folder, *options, "--fixed-mask", f"{folder}/fixed.nii.gz"))
    assert ran.exit_code == 0, ran.output
    about = json.loads((out / "result.json").read_text())
    written = ["moved.nii.gz", "preview.jpg", "report.html", "result.json", "run.yaml", "transform.h5"]
    assert sorted(p.name for p in out.iterdir()) == written
    assert sitk.ReadTransform(f"{out}/transform.h5").GetNumberOfTransforms() == 3
    np.testing.assert_allclose(moved_by_itk(out / "transform.h5"), moved_by_sitk(out / "transform.h5"), atol=1e-9)
    assert [part["type"] for part in about["transform"]["parts"]] == ["Euler3DTransform", "DisplacementFieldTransform"]
    assert len(about["pressure_mm"]) == 2
    percentiles = about["deformation"]["jacobian_percentiles"]
    assert 0 < percentiles["0"] <= percentiles["50"] <= percentiles["100"]
    assert about["deformation"]["folds"] == 0 and not any("folds" in doubt for doubt in about["doubts"])
    assert about["settings"]["deformation_radius_mm"] == 16.0 and about["settings"]["fold_free"] is True
    assert -1 < about["deformation"]["value"] < 0 < about["deformation"]["overlap"] <= 1
    report = (out / "report.html").read_text()
    assert "Jacobian determinant, least" in report and "folded cells" in report
    assert 'id="grid"' in report and "Pose, before the deformation" in report


def test_a_deformation_after_an_affine_has_constraints_its_inverse_and_maps(folder: Path, tmp_path: Path) -> None:
    fixed, moving = (sitk.ReadImage(f"{folder}/{name}.nii.gz") for name in ("fixed", "moving"))
    box = sitk.Image(moving.GetSize(), sitk.sitkUInt8)
    box.CopyInformation(moving)
    box[18:26, 18:26, 16:22] = 2
    sitk.WriteImage(box, f"{tmp_path}/bone.nii.gz")
    out = tmp_path / "out"
    options = [*COARSE, "--transform", "affine", "--deformable", "--stride", "4", "--fold-free", "--write-maps"]
    here = (20.0, 20.0, 24.0)
    there = np.add(TRUTH.TransformPoint(here), (4.0, 0.0, 0.0))  # where the images would not lead
    for name, point in (("here", here), ("there", there)):
        (tmp_path / f"{name}.csv").write_text(",".join(map(str, point)) + "\n")
    options += ["--moving-rigid-parts", f"{tmp_path}/bone.nii.gz", "-o", str(out), "--landmark-tolerance", "0.5"]
    options += [f"--fixed-constraint-landmarks={tmp_path}/here.csv"]
    options += [f"--moving-constraint-landmarks={tmp_path}/there.csv"]
    ran = CliRunner().invoke(app, command(folder, *options))
    assert ran.exit_code == 0, ran.output
    about = json.loads((out / "result.json").read_text())
    led = sitk.ReadTransform(f"{out}/transform.h5").TransformPoint(here)
    assert np.linalg.norm(np.subtract(led, there)) < 1.5 and about["settings"]["landmark_tolerance_mm"] == 0.5
    assert {"inverse.h5", "jacobian.nii.gz", "disagreement.nii.gz"} <= set(about["files"])
    assert sorted(p.name for p in out.iterdir()) == sorted(about["files"])
    there, back = moved_by_sitk(out / "transform.h5"), sitk.ReadTransform(f"{out}/inverse.h5")
    assert np.linalg.norm([back.TransformPoint(p) for p in there.tolist()] - np.asarray(PLACES), axis=1).max() < 0.1
    jacobian, disagreement = (sitk.ReadImage(f"{out}/{name}.nii.gz") for name in ("jacobian", "disagreement"))
    assert jacobian.GetSize() == disagreement.GetSize() == fixed.GetSize()
    assert jacobian.GetOrigin() == pytest.approx(fixed.GetOrigin())
    assert sitk.GetArrayFromImage(jacobian).min() > 0.0 <= sitk.GetArrayFromImage(disagreement).min()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--fixed-landmarks", "a.csv", "--moving-landmarks", "a.csv"], "a.csv: no such file"),
        (["--initial-transform", "none.tfm"], "none.tfm: no such file"),
        (["--truth", "none.tfm"], "none.tfm: no such file"),
        (["--fixed-mask", "none.nii.gz"], "none.nii.gz: no such file"),
        (["--fine-spacing", "0"], "spacing: expected mm above 0"),
        (["--model", "none"], "model none: no such model"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(
    folder: Path, tmp_path: Path, options: list[str], says: str
) -> None:
    ran = CliRunner().invoke(app, command(folder, "-o", f"{tmp_path}/out", *options))
    assert ran.exit_code == 1
    assert len(ran.output.splitlines()) == 1 and says in ran.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--fixed-landmarks", "a.csv"], "--moving-landmarks go together; give both"),
        (["--moving-constraint-landmarks", "a.csv"], "--moving-constraint-landmarks go together; give both"),
        (["--landmark-tolerance", "2"], "--landmark-tolerance: has an effect with --deformable only"),
        (["--transform", "probe"], "go together; give all of them or none"),
        (["--probe-depth", "30"], "go together; give all of them or none"),
        (["--search", "local", "--starts", "9"], "--starts: has an effect with --search global only"),
        (["--search", "local", "--rotation", "9"], "--rotation: has an effect with --search global only"),
        (["--radius", "9"], "--radius: has an effect with --deformable only"),
        (["--fold-free"], "--fold-free: has an effect with --deformable only"),
        (["--write-maps"], "--write-maps: has an effect with --deformable only"),
        (["--fixed-weights", "a.nii"], "--fixed-weights: has an effect with --deformable only"),
    ],
)
def test_options_that_do_not_go_together_are_a_wrong_command_line(
    folder: Path, tmp_path: Path, options: list[str], says: str
) -> None:
    ran = CliRunner().invoke(app, command(folder, "-o", f"{tmp_path}/out", *options))
    assert ran.exit_code == 2
    assert len(ran.output.splitlines()) == 1 and says in ran.output
    assert not (tmp_path / "out").exists()


def test_what_is_searched_is_what_was_asked_for(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def refuse(request: Request) -> None:
        asked.append(request)
        raise ConfigError("seen")

    monkeypatch.setattr("disa.report.job.run", refuse)
    searched = ["--starts", "30", "--rotation", "20", "--translation", "15.5", "--seed", "4"]
    deformed = ["--deformable", "--radius", "16", "--fold-free", "--stride", "1", "--fixed-weights", "w.nii"]
    assert CliRunner().invoke(app, command(folder, "-o", f"{tmp_path}/x", *searched, *deformed)).exit_code == 1
    assert CliRunner().invoke(app, command(folder, "-o", f"{tmp_path}/x")).exit_code == 1
    chosen, plain = (request.options for request in asked)
    assert chosen.pose == SearchOptions(starts=30, rotation=20.0, translation=15.5, seed=4)
    assert chosen.deformation == DeformOptions(stride=1, radius=16.0, fold_free=True)
    assert asked[0].inputs.fixed_weights == Path("w.nii")
    assert plain.pose == SearchOptions() and plain.deformation is None


@pytest.fixture(scope="module")
def unusable(folder: Path) -> Path:
    """Files that are there and cannot be registered with."""
    made = folder / "unusable"
    made.mkdir()
    image = sitk.ReadImage(f"{folder}/fixed.nii.gz")
    spoiled = sitk.Cast(image, sitk.sitkFloat32)
    spoiled[3, 4, 5] = float("nan")
    images = {
        "nan": spoiled,
        "constant": 0 * image + 7,
        "2-D": image[:, :, 5],
        "4-D": sitk.JoinSeries([image, image]),
        "zero": sitk.Cast(0 * image, sitk.sitkUInt8),
    }
    for name, each in images.items():
        sitk.WriteImage(each, f"{made}/{name}.nrrd")
    sitk.WriteTransform(sitk.TranslationTransform(3, (float("nan"), 0.0, 0.0)), f"{made}/nan.h5")
    sitk.WriteTransform(sitk.TranslationTransform(3, (1e4, 0.0, 0.0)), f"{made}/far.tfm")
    return made


@pytest.mark.parametrize(
    ("fixed", "options", "says"),
    [
        ("nan.nrrd", [], "nan.nrrd: expected finite intensities"),
        ("constant.nrrd", [], "constant.nrrd: every voxel is 7"),
        ("2-D.nrrd", [], "2-D.nrrd: expected a 3-D image, got a 2-D one"),
        ("4-D.nrrd", [], "4-D.nrrd: expected a 3-D image, got a 4-D one"),
        (None, ["--fixed-mask", "zero.nrrd"], "fixed_mask: every voxel is 0"),
        (None, ["--moving-mask", "zero.nrrd"], "moving_mask: every voxel is 0"),
        (None, ["--initial-transform", "nan.h5"], "nan.h5: expected finite parameters"),
        (None, ["--initial-transform", "far.tfm"], "do not overlap under any of 500 starts"),
        (None, ["--initial-transform", "far.tfm", "--search", "local"], "do not overlap under the initial transform"),
        (None, ["--seed", "-1"], "seed: expected 0 or more, got -1"),
    ],
)
def test_unusable_input_is_one_line_and_writes_nothing(
    folder: Path,
    unusable: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fixed: str | None,
    options: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(unusable)
    ran = CliRunner().invoke(
        app, ["register", fixed or f"{folder}/fixed.nii.gz", f"{folder}/moving.nii.gz", "-o", f"{tmp_path}/x", *options]
    )
    assert ran.exit_code == 1
    assert len(ran.output.splitlines()) == 1 and says in ran.output
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("options", [["--threads", "-1"], ["--transform", "elastic"], ["--stride", "3"]])
def test_a_wrong_command_line_has_an_exit_code_of_its_own(folder: Path, tmp_path: Path, options: list[str]) -> None:
    assert CliRunner().invoke(app, command(folder, "-o", f"{tmp_path}/x", *options)).exit_code == 2
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("strict", "is_sure"), [([], True), (["--strict"], False), (["--strict", "0.0"], True), (["--strict", "1"], False)]
)
@pytest.mark.parametrize("is_first", [True, False])
def test_strict_has_an_exit_code_of_its_own_after_all_is_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict: list[str], is_sure: bool, is_first: bool
) -> None:
    monkeypatch.setattr("disa.pose.result.confidence", lambda evidence: 0.25)
    rest = ["-o", f"{tmp_path}/x", *COARSE]
    ran = CliRunner().invoke(app, command(folder, *(strict + rest if is_first else rest + strict)))
    assert ran.exit_code == (0 if is_sure else 3), ran.output
    assert json.loads((tmp_path / "x" / "result.json").read_text())["confidence"] == 0.25
    lines = [line for line in ran.stderr.splitlines() if not line.startswith("doubtful")]
    assert len(lines) == (0 if is_sure else 1) and all("0.25" in line for line in lines)


def test_strict_goes_by_the_pose_where_a_deformation_follows(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("disa.pose.result.confidence", lambda evidence: 0.75)
    options = ["-o", f"{tmp_path}/x", *COARSE, "--deformable", "--stride", "4", "--json"]
    assert CliRunner().invoke(app, command(folder, *options, "--strict")).exit_code == 0
    ran = CliRunner().invoke(app, command(folder, *options, "--strict", "0.8", "--transform", "affine"))
    about = json.loads(ran.stdout)
    assert ran.exit_code == 3 and about["confidence"] == 0.75
    parts = sitk.CompositeTransform(sitk.ReadTransform(f"{tmp_path}/x/transform.h5"))
    assert about["transform"]["type"] == "AffineTransform" and parts.GetNthTransform(0).GetName() == "AffineTransform"
    assert parts.GetNthTransform(1).GetName() == "DisplacementFieldTransform"


@pytest.mark.parametrize("value", ["2", "-0.1", "nan"])
def test_strict_takes_a_probability(folder: Path, tmp_path: Path, value: str) -> None:
    assert CliRunner().invoke(app, command(folder, "-o", f"{tmp_path}/x", "--strict", value)).exit_code == 2
    assert not (tmp_path / "x").exists()


def test_a_file_is_no_folder_to_write_into(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("kept")
    ran = CliRunner().invoke(app, command(folder, "-o", f"{tmp_path}/out"))
    assert ran.exit_code == 1 and "expected a folder" in ran.output
    assert (tmp_path / "out").read_text() == "kept"


def test_a_stage_moves_the_bar_forward_and_never_back() -> None:
    position = Position({"one": [("a", 1.0), ("b", 2.0), ("a", 1.0)], "two": [("a", 4.0)]})
    seen = []
    for stage, share in [("one", 0), ("a", 0), ("b", 0), ("part", 0.5), ("b", 0), ("a", 0), ("a", 0), ("two", 0)]:
        position.report(stage, share)
        seen.append((position.description, position.done))
    assert seen == [
        ("one", 0.0), ("a", 0.0), ("b", 1.0), ("b", 2.0), ("b", 2.0), ("a", 3.0), ("a", 3.0), ("two", 4.0),
    ]  # fmt: skip
    assert position.total == 8.0


INTERRUPTED = """
import os, signal, sys
from disa.cli.app import app
from disa.progress import Position

def report(position, stage, share, report=Position.report):
    report(position, stage, share)
    if position.description == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGINT)

Position.report = report
app(sys.argv[2:])
"""


def run_on_terminal(arguments: Sequence[str], until: str, script: str = INTERRUPTED) -> tuple[int, str]:
    """Run `disa` with a terminal for its errors, interrupted where a stage begins: its exit code and what came."""
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-c", script, until, *arguments],
        stderr=theirs,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (ignored in the background)
    )
    os.close(theirs)
    shown = ""
    while True:
        try:
            shown += os.read(ours, 4096).decode(errors="replace")
        except OSError:  # the other end is closed
            break
    os.close(ours)
    return run.wait(timeout=60), shown


@pytest.mark.parametrize("until", ["moving descriptors", "writing"])
def test_an_interrupt_leaves_no_half_file(folder: Path, tmp_path: Path, until: str) -> None:
    out = tmp_path / "out"
    code, shown = run_on_terminal(command(folder, "-o", str(out), *COARSE), until)
    assert code == 130 and "disa: interrupted" in shown, shown
    assert re.search(r"\d:\d\d left", shown) and "Traceback" not in shown
    assert not out.exists()


KILLED = INTERRUPTED.replace("SIGINT", "SIGKILL")


@pytest.mark.parametrize("until", ["refinement", "writing"])
def test_a_killed_run_leaves_the_one_before_whole_and_the_next_clears_up(
    folder: Path, tmp_path: Path, until: str
) -> None:
    out = tmp_path / "out"
    options = command(folder, "-o", str(out), *COARSE)
    assert CliRunner().invoke(app, options).exit_code == 0
    (out / "notes.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    code, shown = run_on_terminal(options, until, KILLED)
    assert code == -signal.SIGKILL, shown
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.name in before} == before
    assert CliRunner().invoke(app, options).exit_code == 0
    assert {path.name for path in out.iterdir()} == set(before)


def test_a_linear_result_of_the_run_before_goes_where_there_is_none_now(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = command(folder, "-o", str(out), *COARSE)
    assert CliRunner().invoke(app, options).exit_code == 0
    assert (out / "transform.tfm").exists()
    (out / "notes.txt").write_text("mine")
    assert CliRunner().invoke(app, [*options, "--deformable", "--stride", "4"]).exit_code == 0
    about = json.loads((out / "result.json").read_text())
    assert {path.name for path in out.iterdir()} == {*about["files"], "notes.txt"}
    assert "transform.tfm" not in about["files"]
    (out / "transform.tfm").write_text("somebody's")
    ran = CliRunner().invoke(app, [*options, "--deformable", "--stride", "4"])
    assert ran.exit_code == 1 and "transform.tfm: of no run that ended" in ran.stderr
    assert (out / "transform.tfm").read_text() == "somebody's"


def test_the_terminal_says_how_far_off_it_is_and_the_record_has_the_hashes(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    landmarks = ["--fixed-landmarks", f"{folder}/fixed.csv", "--moving-landmarks", f"{folder}/moving.csv"]
    options = ["-o", str(out), *COARSE, "--truth", f"{folder}/true.tfm", *landmarks]
    ran = CliRunner().invoke(app, command(folder, *options))
    assert ran.exit_code == 0, ran.output
    about = json.loads((out / "result.json").read_text())
    printed = {line[:22].strip(): line[22:].strip() for line in ran.stdout.splitlines()}
    before, after = (about["errors_mm"][name] for name in ("before", "after"))
    assert (
        printed["error (mm)"] == f"mean {after['mean']:.2f}, max {after['max']:.2f}; mean before {before['mean']:.2f}"
    )
    before, after = (about["landmark_errors_mm"][name] for name in ("before", "after"))
    said = f"mean {np.mean(after):.2f}, max {max(after):.2f}; mean before {np.mean(before):.2f}"
    assert printed["landmark error (mm)"] == said

    def hash_of(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    assert about["sha256"]["inputs"] == {name: hash_of(Path(path)) for name, path in about["inputs"].items()}
    assert about["sha256"]["files"] == {name: hash_of(out / name) for name in about["files"] if name != "result.json"}


@pytest.mark.parametrize(
    ("moving", "options"),
    [("moved.nii.gz", []), ("link.nii.gz", []), ("other.nii.gz", ["--initial-transform", "transform.tfm"])],
)
def test_results_do_not_replace_an_input(folder: Path, tmp_path: Path, moving: str, options: list[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("moved.nii.gz", "other.nii.gz"):
        shutil.copy(folder / "moving.nii.gz", out / name)
    shutil.copy(folder / "true.tfm", out / "transform.tfm")
    (out / "link.nii.gz").symlink_to("moved.nii.gz")
    before = (out / "moved.nii.gz").read_bytes()
    paths = [f"{out}/{option}" if option.endswith(".tfm") else option for option in options]
    ran = CliRunner().invoke(app, ["register", f"{folder}/fixed.nii.gz", f"{out}/{moving}", "-o", str(out), *paths])
    assert ran.exit_code == 1
    assert "is an input, and the results would replace it; give another folder" in ran.stderr
    assert (out / "moved.nii.gz").read_bytes() == before


def test_an_input_that_changes_meanwhile_is_one_line(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("fixed", "moving"):
        shutil.copy(folder / f"{name}.nii.gz", tmp_path)

    def write_html(*_: object) -> str:
        (tmp_path / "moving.nii.gz").write_bytes(b"another")
        return ""

    monkeypatch.setattr("disa.report.job.write_html", write_html)
    ran = CliRunner().invoke(app, command(tmp_path, "-o", f"{tmp_path}/out", *COARSE))
    assert ran.exit_code == 1 and f"{tmp_path}/moving.nii.gz: was changed while it was registered" in ran.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["out [a] b", "x[/a]", "[bold]"])
def test_brackets_of_a_path_are_printed_as_they_are(folder: Path, tmp_path: Path, name: str) -> None:
    options = ["-o", f"{tmp_path}/{name}", *COARSE]
    ran = CliRunner().invoke(app, command(folder, *options))
    assert ran.exit_code == 0, ran.output
    assert f"{tmp_path}/{name}/transform.h5, {tmp_path}/{name}/transform.tfm" in ran.stdout
