# SPDX-License-Identifier: Apache-2.0
"""`--settings`: what a file asks for, beside what a command line does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from disa.cli.app import app
from disa.deform.options import DeformOptions
from disa.errors import ConfigError
from disa.pose.options import SearchOptions
from disa.report.job import Inputs, Request
from disa.report.run_settings import run_settings
from helpers.commands import run

Asked = Callable[[list[str]], Request]

EVERYTHING = [
    "--initial-transform", "i.tfm", "--fixed-mask", "a.nii", "--moving-mask", "b.nii", "--fixed-landmarks", "a.csv",
    "--moving-landmarks", "b.csv", "--truth", "t.tfm", "--fixed-weights", "w.nii", "--fixed-series", "4",
    "--fixed-rigid-parts", "d.nii", "--moving-rigid-parts", "c.nii", "--write-maps",
    "--fixed-constraint-landmarks", "e.csv", "--moving-constraint-landmarks", "g.csv", "--landmark-tolerance", "1.5",
    "--moving-series", "1.2.3", "--deformable", "--radius", "16.5", "--fold-free", "--stride", "1", "--starts", "30",
    "--rotation", "20", "--translation", "15.5", "--seed", "4", "--spacing", "1.5", "--fine-spacing", "0.75",
    "--model", "mind-ssc", "--device", "cpu", "--resample-sheared", "--transform", "probe", "--probe-contact", "1", "2",
    "-3.5", "--probe-axis", "0", "0", "1", "--probe-depth", "60",
]  # fmt: skip


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the options of `disa register` ask for, which is not done."""
    requests: list[Request] = []

    def keep(request: Request) -> None:
        requests.append(request)
        raise ConfigError("seen")

    monkeypatch.setattr("disa.report.job.run", keep)
    monkeypatch.chdir(tmp_path)

    def request_of(options: list[str]) -> Request:
        result = run(app, ["register", *options])
        assert result.output == "disa: seen\n", result.output
        return requests[-1]

    return request_of


@pytest.mark.parametrize("options", [EVERYTHING, [], ["--search", "local", "--transform", "affine", "--stride", "2"]])
def test_a_run_is_asked_for_again_by_what_it_wrote(tmp_path: Path, asked: Asked, options: list[str]) -> None:
    first = asked([f"{tmp_path}/f [a].nii", f"{tmp_path}/m\u00e4.nii", "-o", "out", *options])
    (tmp_path / "run.yaml").write_text(run_settings(first.inputs, first.options))
    again = asked(["--settings", "run.yaml", "-o", "out"])
    assert again.options == first.options
    assert vars(again.inputs) == {
        name: value if isinstance(value, str) or value is None else tmp_path / value
        for name, value in vars(first.inputs).items()
    }


def test_no_option_is_forgotten(tmp_path: Path, asked: Asked) -> None:
    """Of each dataclass a field that the command line sets is set in `EVERYTHING`, which the test above repeats."""
    request = asked(["f.nii", "m.nii", "-o", "out", *EVERYTHING])
    assert None not in vars(request.inputs).values()
    pose, deformation = request.options.pose, request.options.deformation
    for found, default in ((pose, SearchOptions()), (deformation, DeformOptions())):
        same = {field.name for field in fields(default) if getattr(found, field.name) == getattr(default, field.name)}
        assert same <= {"threads", "inverse_consistent", "stride"}
    assert {field.name for field in fields(Inputs)} == vars(request.inputs).keys()


def test_the_command_line_goes_before_the_file_whose_paths_begin_at_its_folder(tmp_path: Path, asked: Asked) -> None:
    (tmp_path / "a").mkdir()
    text = "fixed: f.nii\nmoving: /m.nii\noutput: out\nseed: 3\nfine-spacing: 1e0\nmodel: mind-ssc\nthreads:\n"
    (tmp_path / "a" / "run.yaml").write_text(text)
    request = asked(["--settings", "a/run.yaml", "--seed", "5"])
    assert request.output == tmp_path / "a" / "out"
    assert request.inputs == Inputs(tmp_path / "a" / "f.nii", Path("/m.nii"))
    assert request.options.pose == SearchOptions(seed=5, fine_spacing=1.0, model="mind-ssc")
    assert asked(["x.nii", "--settings", "a/run.yaml"]).inputs.fixed == Path("x.nii")


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("fold_fre: true\n", 1, "disa: run.yaml: unknown option 'fold_fre'; did you mean fold_free?"),
        ("settings: run.yaml\n", 1, "disa: run.yaml: unknown option 'settings'; "),
        ("- fixed\n", 1, "disa: run.yaml: expected lines of `option: value`"),
        ("spacing: 4\nspacing: 8\n", 1, "disa: run.yaml: not YAML: line 1: spacing is there twice; expected once"),
        ("fold_free: true\nfold-free: false\n", 1, "disa: run.yaml: fold-free: is there twice; expected once"),
        ("a: [\n", 1, "disa: run.yaml: not YAML: "),
        ("spacing: {a: 1}\n", 1, "disa: run.yaml: spacing: expected one value, or a list of them"),
        (None, 1, "disa: run.yaml: no such file; expected a YAML file of options"),
        ("spacing: two\n", 2, "--spacing"),
        ("transform: elastic\n", 2, "--transform"),
        ("probe_contact: [1, 2]\n", 2, "--probe-contact"),
        ("starts: 9\nsearch: local\n", 2, "--starts: has an effect with --search global only"),
    ],
)
def test_a_file_that_is_wrong_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, code: int, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "run.yaml").write_text(text)
    result = run(app, ["register", "f.nii", "m.nii", "-o", "out", "--settings", "run.yaml"])
    assert result.exit_code == code and says in result.output.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_a_cohort_takes_settings_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "run.yaml").write_text("table: none.csv\ntransform: affine\nworkers: 2\n")
    result = run(app, ["cohort", "--settings", "a/run.yaml", "-o", "out"])
    assert result.exit_code == 1 and result.output.startswith(f"disa: {tmp_path}/a/none.csv: no such file")
    (tmp_path / "a" / "run.yaml").write_text("fixed: f.nii\n")
    result = run(app, ["cohort", "pairs.csv", "--settings", "a/run.yaml", "-o", "out"])
    assert result.exit_code == 1 and "unknown option 'fixed'" in result.output
