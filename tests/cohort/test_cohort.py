# SPDX-License-Identifier: Apache-2.0
"""`disa cohort`: its table, what its pairs share, and that each is done once, whatever happens to a worker."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

import disa
from disa.cli.app import app
from disa.cohort.processes import run_here, share_of_each
from disa.cohort.summary import write_summary
from disa.cohort.table import read_table
from disa.cohort.work import Outcome
from disa.features import cache
from disa.pose.options import PoseOptions
from disa.progress import told_to
from disa.report.job import Inputs, Options, Request, done_before
from helpers.images import smooth_noise
from helpers.network_runs import CountingExtractor
from helpers.tables import rows_of

pytestmark = pytest.mark.usefixtures("small_pictures")

OPTIONS = Options(PoseOptions(spacing=4.0, providers=["CPUExecutionProvider"], threads=1))
COMMAND = ["--search", "local", "--spacing", "4", "--device", "cpu", "--threads", "1"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fixed image and five moving ones, each 4 mm further off."""
    folder = tmp_path_factory.mktemp("images")
    fixed = smooth_noise(3)
    sitk.WriteImage(fixed, f"{folder}/fixed.nii.gz")
    for i in range(5):
        fixed.SetOrigin((4.0 * i, 2.0, -1.0))
        sitk.WriteImage(fixed, f"{folder}/moving{i}.nii.gz")
    return folder


def test_what_pairs_share_is_what_each_would_make(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = (f"{images}/fixed.nii.gz", f"{images}/moving3.nii.gz")
    runs = CountingExtractor(monkeypatch)
    alone = disa.register(*pair, spacing=4.0, threads=1)
    every = len(runs.strides)
    with cache.kept_in(tmp_path):
        cache.clear()  # as in another process
        first = disa.register(*pair, spacing=4.0, threads=1)
        kept = sorted(tmp_path.glob("*.disa"))
        kept[0].write_bytes(kept[0].read_bytes()[:-1])  # damaged: made anew
        cache.clear()
        runs.strides.clear()
        second = disa.register(*pair, spacing=4.0, threads=1)
    assert len(kept) == 2  # fixed and, on the moving image's own axes, moving
    assert len(runs.strides) == every - 1
    assert sorted(tmp_path.glob("*.disa")) == kept
    for result in (first, second):
        assert result.transform.GetParameters() == alone.transform.GetParameters()
        assert (result.value, result.evaluations) == (alone.value, alone.evaluations)


def test_each_pair_is_done_once_though_a_worker_is_killed(images: Path, tmp_path: Path) -> None:
    """Nor does a worker open a port, through which somebody else could make it run anything."""
    count = 4
    requests = {
        f"pair-{i}": Request(Inputs(images / "fixed.nii.gz", images / f"moving{i}.nii.gz"), OPTIONS, tmp_path / f"p{i}")
        for i in range(count)
    }
    written = {}
    told: list[float] = []
    before = listening()
    share = share_of_each(2)
    with watched_ports() as seen:
        for outcome in told_while(run_here(requests, tmp_path, workers=2, retries=0), told):
            assert outcome.error == "" and outcome.name not in written
            written[outcome.name] = os.stat(requests[outcome.name].output / "result.json")
            if len(written) == 1:
                crew = [environment_of(process.pid or 0) for process in multiprocessing.active_children()]
                os.kill(max(process.pid or 0 for process in multiprocessing.active_children()), signal.SIGKILL)
    assert set(written) == set(requests)
    assert len(crew) == 2 and all(share.items() <= environment.items() for environment in crew)
    assert seen <= before
    assert all(0 < share < 1 for share in told) and len({share for share in told if round(share, 3) * count % 1}) > 10
    for i, (name, request) in enumerate(requests.items()):
        now = os.stat(request.output / "result.json")
        assert (now.st_ino, now.st_mtime_ns) == (written[name].st_ino, written[name].st_mtime_ns)
        found = json.loads((request.output / "result.json").read_text())
        assert {path.name for path in request.output.iterdir()} == set(found["files"])
        moved = sitk.ReadTransform(f"{request.output}/transform.h5").TransformPoint((30.0, 35.0, 40.0))
        np.testing.assert_allclose(moved, (30.0 + 4 * i, 37.0, 39.0), atol=1.5)
    assert {path.name for path in tmp_path.iterdir()} == {*(f"p{i}" for i in range(count)), "features", "locks"}
    assert list((tmp_path / "locks").iterdir()) == []
    fixed, moving = 1, count
    assert [path.suffix for path in (tmp_path / "features").iterdir()] == [".disa"] * (fixed + moving)


@pytest.mark.parametrize(
    ("cores", "said", "workers", "threads"),
    [(8, None, 3, "2"), (8, "1", 3, "1"), (8, "64", 2, "4"), (2, None, 4, "1"), (8, "0", 2, "4")],
)
def test_workers_share_the_cores_and_the_memory(
    monkeypatch: pytest.MonkeyPatch, cores: int, said: str | None, workers: int, threads: str
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)))
    monkeypatch.setenv("DISA_MEMORY", "6G")
    if said is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert share_of_each(workers) == {
        "OMP_NUM_THREADS": threads,
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": threads,
        "DISA_MEMORY": str(6 * 2**30 // workers),
    }


def environment_of(process: int) -> dict[str, str]:
    """Variables that a process was started with."""
    content = Path(f"/proc/{process}/environ").read_bytes().decode()
    return dict(line.split("=", 1) for line in content.split("\0") if "=" in line)


def told_while(outcomes: Iterator[Outcome], told: list[float]) -> Iterator[Outcome]:
    """The same outcomes; keeps how much of all pairs was said to be done."""
    with told_to(lambda _, share: told.append(share)):
        yield from outcomes


def test_a_pair_whose_workers_die_again_and_again_is_a_line(images: Path, tmp_path: Path) -> None:
    request = Request(Inputs(images / "fixed.nii.gz", images / "moving1.nii.gz"), OPTIONS, tmp_path / "out")
    coming = run_here({"pair": request}, tmp_path, workers=1, retries=0)
    killer = threading.Thread(target=kill_children, args=(stop := threading.Event(),))
    killer.start()
    outcomes = list(coming)
    stop.set()
    killer.join()
    assert [outcome.error[:34] for outcome in outcomes] == ["its workers died again and again; "]


def kill_children(stop: threading.Event) -> None:
    while not stop.wait(0.05):
        for process in multiprocessing.active_children():
            process.kill()


def test_a_cohort_that_is_killed_is_gone_on_with(images: Path, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(
        "name,fixed,moving\n" + "".join(f"p{i},{images}/fixed.nii.gz,{images}/moving{i}.nii.gz\n" for i in range(3))
    )
    command = ["cohort", f"{tmp_path}/table.csv", "-o", f"{tmp_path}/out", *COMMAND]
    script = "import sys; from disa.cli.app import app; app(sys.argv[1:])"
    process = subprocess.Popen([sys.executable, "-c", script, *command], start_new_session=True)
    while not (tmp_path / "out" / "p0" / "result.json").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = os.stat(tmp_path / "out" / "p0" / "result.json")
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 0, ran.output
    assert os.stat(tmp_path / "out" / "p0" / "result.json").st_mtime_ns == before.st_mtime_ns
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {
        "p0", "p1", "p2", "features", "locks", "summary.csv", "summary.html",
    }  # fmt: skip
    for name in ("p0", "p1", "p2"):
        found = json.loads((out / name / "result.json").read_text())
        assert {path.name for path in (out / name).iterdir()} == set(found["files"])
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]


@contextmanager
def watched_ports() -> Iterator[set[str]]:
    """Sockets that were listened at meanwhile; a set that grows."""
    seen: set[str] = set()
    stop = threading.Event()
    watcher = threading.Thread(target=lambda: [seen.update(listening()) for _ in iter(lambda: stop.wait(0.05), True)])
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def listening() -> set[str]:
    """Inodes of sockets that this process or its children listen at."""
    sockets = set()
    for process in (os.getpid(), *(child.pid for child in multiprocessing.active_children())):
        for file in ("tcp", "tcp6"):
            try:
                lines = Path(f"/proc/{process}/net/{file}").read_text().splitlines()[1:]
                own = {os.readlink(link) for link in Path(f"/proc/{process}/fd").iterdir()}
            except OSError:
                continue  # it has ended
            sockets |= {f"socket:[{line.split()[9]}]" for line in lines if line.split()[3] == "0A"} & own
    return sockets


def test_a_scheduler_of_dask_does_it_too(images: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="--scheduler is dask's")
    from disa.cohort.scheduler import client_of, run_scheduled

    request = Request(Inputs(images / "fixed.nii.gz", images / "moving1.nii.gz"), OPTIONS, tmp_path / "out")
    with (
        distributed.LocalCluster(1, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        client_of(cluster.scheduler_address) as client,
    ):
        outcomes = list(run_scheduled(client, {"pair": request}, tmp_path, retries=0))
    assert [(outcome.name, outcome.error) for outcome in outcomes] == [("pair", "")]
    assert done_before(request) == outcomes[0].found


def test_what_nobody_foresaw_is_a_line_after_its_retries(images: Path, tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("no folder")
    request = Request(Inputs(images / "fixed.nii.gz", images / "moving1.nii.gz"), OPTIONS, tmp_path / "out")
    outcomes = list(run_here({"pair": request}, tmp_path, workers=1, retries=1))
    assert [outcome.name for outcome in outcomes] == ["pair"] and outcomes[0].found == {}
    assert outcomes[0].error.startswith(f"OutputError: {tmp_path}/locks/pair: cannot be made")
    assert not (tmp_path / "out").exists()


def test_a_bad_pair_is_a_line_and_the_rest_goes_on(images: Path, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(
        f"name,fixed,moving\ngood,{images}/fixed.nii.gz,{images}/moving1.nii.gz\nbad,x,y\n"
        f"late,{images}/fixed.nii.gz,late.nii.gz\n"
    )
    out = tmp_path / "out"
    command = ["cohort", f"{tmp_path}/table.csv", "-o", str(out), *COMMAND]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 1, ran.output
    bad, late = f"{tmp_path}/y: no such file", f"{tmp_path}/late.nii.gz: no such file"
    assert ran.stderr.splitlines() == [f"disa: bad: {bad}", f"disa: late: {late}"]
    rows = rows_of(out / "summary.csv")
    states = [(row["name"], row["state"]) for row in rows]
    assert states == [("good", "doubtful"), ("bad", "failed"), ("late", "failed")]  # few descriptors, at 4 mm
    page = (out / "summary.html").read_text()
    assert '<a href="good/report.html">good</a>' in page and "3 pairs: 1 done, 2 not" in page
    before = os.stat(out / "good" / "result.json")
    sitk.WriteImage(sitk.ReadImage(f"{images}/moving2.nii.gz"), f"{tmp_path}/late.nii.gz")
    ran = CliRunner().invoke(app, [*command, "--json"])
    assert ran.exit_code == 1
    assert json.loads(ran.stdout)["done"] == 2 and list(json.loads(ran.stdout)["failed"]) == ["bad"]
    assert os.stat(out / "good" / "result.json").st_mtime_ns == before.st_mtime_ns


def test_what_was_done_is_done_again_once_it_differs(images: Path, tmp_path: Path) -> None:
    image = tmp_path / "moving.nii.gz"
    image.write_bytes((images / "moving1.nii.gz").read_bytes())
    request = Request(Inputs(images / "fixed.nii.gz", image), OPTIONS, tmp_path / "out")
    assert done_before(request) is None
    from disa.report.job import run

    found = run(request)
    assert done_before(request) == json.loads(json.dumps(found))
    other = Options(replace(OPTIONS.pose, spacing=5.0))
    assert done_before(Request(request.inputs, other, request.output)) is None
    (tmp_path / "out" / "report.html").rename(tmp_path / "report.html")
    assert done_before(request) is None
    (tmp_path / "report.html").rename(tmp_path / "out" / "report.html")
    os.utime(image, (2e9, 2e9))
    assert done_before(request) is not None
    before = image.stat()
    image.write_bytes((images / "moving2.nii.gz").read_bytes())
    os.utime(image, (1e9, 1e9))  # an older file, as `cp -p` leaves it
    assert before.st_mtime > image.stat().st_mtime and done_before(request) is None
    image.write_bytes((images / "moving1.nii.gz").read_bytes())
    assert done_before(request) is not None
    moved = tmp_path / "out" / "moved.nii.gz"
    moved.write_bytes(moved.read_bytes()[:-1])
    assert done_before(request) is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty; expected"),
        ("fixed\na\n", "lacks the column moving, has 'fixed'; expected"),
        ("fixed,moving,colour\na,b,c\n", "has the columns fixed, moving, colour"),
        ("fixed,moving\n", "no pairs"),
        ("fixed,moving\na,\n", "line 2: expected a fixed and a moving image"),
        ("fixed,moving\na,b,c\n", "line 2: has 3 cells, the header 2"),
        ("name,fixed,moving\n../a,b,c\n", "line 2: name '../a'"),
        ("name,fixed,moving\nfeatures,b,c\n", "line 2: name 'features'"),
        ("name,fixed,moving\na,b,c\na,b,d\n", "line 3: name 'a' is there twice"),
        ("fixed,moving\n\x00\xff", "line 2: not UTF-8"),
        ("fixed;moving\na;b\n", "line 1: cells are separated by semicolons; expected commas"),
        ("fixed,moving,fixed\na,b,c\n", "line 1: column fixed is there 2 times; expected once"),
        ("fixed,moving,truth\na,b\n", "line 2: has 2 cells, the header 3"),
    ],
)
def test_a_table_that_is_none_is_refused_in_one_line(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(disa.ConfigError) as caught:
        read_table(path)
    assert says in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_paths_are_relative_to_the_table(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("fixed,moving,fixed_mask,truth\na.nii,/b.nii,,t.tfm\n")
    inputs = read_table(tmp_path / "table.csv")["pair-1"]
    assert inputs.given == {"fixed": tmp_path / "a.nii", "moving": Path("/b.nii"), "truth": tmp_path / "t.tfm"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--scheduler", "tcp://127.0.0.1:1"], "no scheduler answers there"),
        (["--scheduler", "nonsense://x"], "no scheduler answers there"),
        (["--transform", "probe"], "differs by pair"),
        (["--model", "none"], "model none: no such model"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], says: str
) -> None:
    pytest.importorskip("distributed", reason="--scheduler is dask's")
    monkeypatch.setattr("disa.cohort.scheduler.PATIENCE", 1)
    (tmp_path / "table.csv").write_text("fixed,moving\na,b\n")
    ran = CliRunner().invoke(app, ["cohort", f"{tmp_path}/table.csv", "-o", f"{tmp_path}/out", *options])
    assert ran.exit_code == 1
    assert len(ran.output.splitlines()) == 1 and says in ran.output
    assert not (tmp_path / "out").exists()


def test_the_summary_shows_pairs_by_doubt_with_a_picture_each(tmp_path: Path) -> None:
    found = {"value": -0.2, "overlap": 1.0, "seconds": {"total": 3.0}}
    outcomes = [
        Outcome("sure", "", {**found, "confidence": 0.98, "doubts": []}),
        Outcome("less", "", {**found, "confidence": 0.7, "doubts": []}),
        Outcome("bad", "", {**found, "confidence": 0.1, "doubts": ["It is <bad>."]}),
        Outcome("gone", "moving.nii: no such file", {}),
    ]
    for outcome in outcomes[:3]:
        (tmp_path / outcome.name).mkdir()
        (tmp_path / outcome.name / "preview.jpg").write_bytes(b"\xff\xd8" + outcome.name.encode())
    (tmp_path / "less" / "preview.jpg").unlink()  # as a version before this one left it
    write_summary(outcomes, tmp_path)
    page = (tmp_path / "summary.html").read_text()
    entries = re.findall(r'<li class="(\w+)"><p>(?:<a href="\w+/report.html">)?(\w+)', page)
    assert entries == [("failed", "gone"), ("doubtful", "bad"), ("done", "less"), ("done", "sure")]
    pictures = [base64.b64decode(data) for data in re.findall(r"data:image/jpeg;base64,([^\"]*)", page)]
    assert pictures == [b"\xff\xd8bad", b"\xff\xd8sure"]
    assert "It is &lt;bad&gt;." in page and "moving.nii: no such file" in page
    assert [row["name"] for row in rows_of(tmp_path / "summary.csv")] == ["sure", "less", "bad", "gone"]
