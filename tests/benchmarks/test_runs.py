# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from helpers.images import structured_image
from helpers.paths import BENCHMARKS

pytest.importorskip("scipy")
pytest.importorskip("matplotlib")

import report
from cases import eval_cases
from methods import Options
from report import case_table, convergence_table, error_table, role_table, write_report
from runs import FIELDS, Run, Setting, read_rows, rows_of

COMMAND = [sys.executable, str(BENCHMARKS / "registration" / "run.py")]
METHODS = ["--methods", "Mattes local", "correlation local"]
BINS = ["--poses", "1", "--edges", "0", "10", "20"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two heads, T1 and T2, of 24 mm."""
    folder = tmp_path_factory.mktemp("eval")
    for seed, subject in enumerate("AB"):
        image = structured_image((24, 22, 20), spacing=3.0, seed=seed)
        sitk.WriteImage(image, str(folder / f"{subject}_t1.nii.gz"))
        sitk.WriteImage(500 - image, str(folder / f"{subject}_t2.nii.gz"))
    return folder


def run(folder: Path, output: Path, *more: str) -> subprocess.Popen[str]:
    words = [*COMMAND, str(folder), "--output", str(output), *METHODS, *more]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def starts(rows: list[dict[str, str]]) -> dict[tuple[str, ...], str]:
    """Initial error of every run; the end of ITK's metrics depends on the order that threads add up in."""
    return {(r["case"], r["bin"], r["pose"], r["method"]): r["initial_mm"] for r in rows}


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of an undisturbed command, 2 cases x 2 roles x 2 bins x 2 methods."""
    output = tmp_path_factory.mktemp("whole")
    process = run(folder, output, *BINS)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "16/16" in errors
    return output


def test_every_run_has_a_row_and_starts_in_its_bin(whole: Path) -> None:
    rows = read_rows(whole / "runs.csv")
    assert len(starts(rows)) == len(rows) == 16
    for row in rows:
        low, high = map(float, row["bin"].split("-"))
        assert low - 0.01 <= float(row["initial_mm"]) <= high + 0.01


def test_both_roles_have_the_same_starts(whole: Path) -> None:
    by_run = starts(read_rows(whole / "runs.csv"))
    swapped = {(case.removesuffix("_swapped"), *run): mm for (case, *run), mm in by_run.items() if "_swapped" in case}
    assert len(swapped) == 8
    assert swapped == {run: mm for run, mm in by_run.items() if "_swapped" not in run[0]}


def test_roles_may_be_left_as_they_are(folder: Path, whole: Path, tmp_path: Path) -> None:
    process = run(folder, tmp_path, *BINS, "--roles", "as-is")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    by_run = starts(read_rows(tmp_path / "runs.csv"))
    assert len(by_run) == 8 and by_run.items() <= starts(read_rows(whole / "runs.csv")).items()
    assert "Both roles" not in (tmp_path / "RESULTS.md").read_text()


def test_report_has_tables_and_plots(whole: Path) -> None:
    text = (whole / "RESULTS.md").read_text()
    assert text.count("Mattes local") > 4 and "Wilcoxon" in text and "run.py FOLDER" in text
    assert "## Both roles" in text and "## head T1/T2, T2 fixed" in text
    for name in ("capture-head-t1-t2.png", "errors-head-t1-t2.png", "errors-head-t1-t2-t2-fixed.png"):
        assert (whole / name).read_bytes().startswith(b"\x89PNG")


def test_killed_command_goes_on(folder: Path, whole: Path, tmp_path: Path) -> None:
    process = run(folder, tmp_path, *BINS)
    table = tmp_path / "runs.csv"
    deadline = time.monotonic() + 60
    while len(read_rows(table)) < 3:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = read_rows(table)
    assert 3 <= len(kept) < 16
    with table.open("a") as file:
        file.write("B_t2,head T1/T2,10-20,0,Mattes lo")  # as a kill within a line leaves it
    assert read_rows(table) == kept
    process = run(folder, tmp_path, *BINS)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    rows = read_rows(table)
    assert rows[: len(kept)] == kept  # times and all: nothing was run again
    assert starts(rows) == starts(read_rows(whole / "runs.csv"))


def test_processes_do_the_same_runs(folder: Path, whole: Path, tmp_path: Path) -> None:
    process = run(folder, tmp_path, *BINS, "--processes", "2")
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    assert starts(read_rows(tmp_path / "runs.csv")) == starts(read_rows(whole / "runs.csv"))


def test_run_whose_images_do_not_overlap_ends_where_it_started(folder: Path) -> None:
    case = eval_cases(folder)[0]
    run = Run(case, (300.0, 310.0), 0, "DISA local")
    (row,) = rows_of(([run], Setting(0, Options("disa-lc2", 10, 1))))
    assert row["final_mm"] == row["initial_mm"] and row["evaluations"] == ""


def test_folder_without_pairs_is_named(tmp_path: Path) -> None:
    process = run(tmp_path, tmp_path / "out")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.splitlines()[-1].endswith(f"{tmp_path}: no pairs of layout eval")


def made_up(errors: dict[str, list[float]]) -> list[dict[str, str]]:
    return [
        dict.fromkeys(FIELDS, "")
        | {
            "case": f"case{i % 2}",
            "group": "g",
            "bin": "0-25" if i < 5 else "25-50",
            "pose": str(i),
            "method": method,
            "final_mm": str(error),
            "seconds": "2.0",
            "cpu_seconds": "3.0",
            "evaluations": "100",
        }
        for method, values in errors.items()
        for i, error in enumerate(values)
    ]


def test_tables_say_what_the_rows_say(tmp_path: Path) -> None:
    good = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 20.0]
    rows = made_up({"good": good, "bad": [e + 10.0 for e in good], "as bad": [e + 10.0 for e in good]})
    assert "| good | 10 | 100 % | 80 % | 90 % | 2.0 | 3.0 | 100 |" in convergence_table(rows, 15.0)
    assert f"| good | {np.mean(good):.2f} | 1.23 |" in error_table(rows)
    tests = report.test_table(rows)
    assert "| good, bad | 10 | good |" in tests and tests.count("| yes |") == 2
    assert "bad, as bad" not in tests  # nothing to test
    assert "| case1 | 80 %, 1.5 |" in case_table(rows, 15.0)
    write_report(rows, tmp_path, ["command"])
    assert (tmp_path / "capture-g.png").is_file()


def test_roles_are_compared_start_by_start() -> None:
    rows = made_up({"one": [1.0, 2.0, 20.0]})
    other = [row | {"case": f"{row['case']}_swapped", "group": "g, CT fixed"} for row in made_up({"one": [1.5, 12.0]})]
    assert role_table(rows, 15.0) == ""
    assert "| g | one | 2 | 100 % | 100 % | 1.5 | 6.8 | +5.2 | 50 % |" in role_table(other + rows, 15.0)
