# SPDX-License-Identifier: Apache-2.0
"""A run's files take the places of an earlier run's together, wherever a process is killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import disa
from disa.io.result_folder import alone_in, publish, settle

RECORD = "result.json"
OLD = {"transform.h5": "old", "transform.tfm": "old", "report.html": "old", RECORD: "old"}
NEW = {"transform.h5": "new", "report.html": "new", "moved.nii.gz": "new", RECORD: "new"}

KILLED = """
import os, sys
from pathlib import Path
from disa.io.result_folder import alone_in, publish

def dying(step):
    def take(*arguments, **keywords):
        if left[0] == 0:
            os._exit(9)
        left[0] -= 1
        return step(*arguments, **keywords)
    return take

record, names, old = "result.json", sys.argv[2].split(), sys.argv[3].split()
for name in ("replace", "rename", "unlink", "mkdir", "rmdir"):
    setattr(os, name, dying(getattr(os, name)))
for count in range(100):
    child = os.fork()
    if child == 0:
        left = [count]
        with alone_in(Path(sys.argv[1], str(count)), record) as writing:
            for name in names:
                (writing / name).write_text("new")
            publish(writing, record, old)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        print(count)
        break
"""
"""Die at the first change of a name, at the second, and so on, each in a folder of its own."""


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file() and path.name[0] != "."}


def write_new(folder: Path) -> None:
    with alone_in(folder, RECORD) as writing:
        for name, text in NEW.items():
            (writing / name).write_text(text)
        publish(writing, RECORD, list(OLD))


def test_wherever_it_is_killed_no_two_runs_are_mixed_and_the_next_one_is_whole(tmp_path: Path) -> None:
    for count in range(100):
        (tmp_path / str(count)).mkdir()
        for name, text in {**OLD, "notes.txt": "mine"}.items():
            (tmp_path / str(count) / name).write_text(text)
    command = [sys.executable, "-c", KILLED, str(tmp_path), " ".join(NEW), " ".join(OLD)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    deaths = int(ran.stdout)
    assert deaths > 10
    seen = set()
    for count in range(deaths + 1):
        folder, copy = tmp_path / str(count), tmp_path / "copy"
        found = contents(folder)
        assert found.pop("notes.txt") == "mine"
        assert set(found.values()) <= {"old"} or set(found.values()) <= {"new"}, (count, found)
        assert found.get(RECORD) is None or found in (OLD, NEW), (count, found)
        seen.add(found.get(RECORD))
        shutil.copytree(folder, copy)
        settle(copy, RECORD)
        assert contents(copy) in ({**OLD, "notes.txt": "mine"}, {**NEW, "notes.txt": "mine"})
        shutil.rmtree(copy)
        write_new(folder)
        assert contents(folder) == {**NEW, "notes.txt": "mine"}
        assert sorted(path.name for path in folder.iterdir()) == sorted([*NEW, "notes.txt"])
    assert seen == {"old", None, "new"}


def test_two_processes_cannot_write_into_one_folder(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path / "out", RECORD),
        pytest.raises(disa.OutputError, match="another run of disa writes into it"),
        alone_in(tmp_path / "out", RECORD),
    ):
        pass
    assert not (tmp_path / "out").exists()
    write_new(tmp_path / "out")
    assert contents(tmp_path / "out") == NEW


def test_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    command = (
        "import os, sys; from pathlib import Path; from disa.io.result_folder import alone_in\n"
        "with alone_in(Path(sys.argv[1]), 'result.json'): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", command, str(tmp_path)], check=False)
    assert (tmp_path / ".disa-lock").exists()
    write_new(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NEW)


def test_a_plan_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "foreign.txt").write_text("mine")
    written = tmp_path / "out" / ".disa-written"
    written.mkdir(parents=True)
    (written / RECORD).write_text("{}")
    (written / ".plan").write_text('{"go": ["../foreign.txt", ".."], "come": ["result.json"]}')
    settle(tmp_path / "out", RECORD)
    assert (tmp_path / "foreign.txt").read_text() == "mine"
    assert os.listdir(tmp_path / "out") == [RECORD]


def test_a_folder_that_was_not_there_goes_again_where_nothing_was_written(tmp_path: Path) -> None:
    with pytest.raises(disa.ImageError), alone_in(tmp_path / "a" / "b", RECORD):
        raise disa.ImageError("unreadable")
    assert list(tmp_path.iterdir()) == []
