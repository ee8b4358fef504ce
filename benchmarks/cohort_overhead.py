# SPDX-License-Identifier: Apache-2.0
"""What `disa cohort` itself costs over thousands of pairs: time, memory, and going on after a kill.

    python benchmarks/cohort_overhead.py [--pairs 10000] [--workers 2] [--seconds 0] [--scheduler]

A stub stands in for the registration: it waits so many seconds and writes a small text. The rest is real: the table,
the folder of each pair with its lock and record, the hashes, the summary. `--scheduler` starts a dask scheduler and its
workers. First half of the pairs are done and the run is killed; then the same command does the rest; then it is typed
once more.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

POLL = 0.5
"""Seconds between two looks at the folder."""

CLIENT = [sys.executable, "-c", "from disa.cli.app import app; app()", "cohort"]

STUB = """
import os
if "DISA_STUB_SECONDS" in os.environ:
    import time
    from disa.report import job
    from disa.report.record import REPORT, RESULT, digests_of, write_record
    def _run(request, output):
        digests = digests_of(request.inputs.given)
        time.sleep(float(os.environ["DISA_STUB_SECONDS"]))
        (output / REPORT).write_text("no report")
        found = {"inputs": request.inputs.described, "settings": request.options.settings(), "files": [REPORT, RESULT]}
        found |= {"value": -0.5, "overlap": 1.0, "confidence": 1.0, "seconds": {"total": 0.0}, "doubts": []}
        write_record(found, digests, output)
        return found
    job._run = _run
"""
"""Python runs it when it starts: in the client, and in each of its workers."""


@dataclass
class Run:
    """What was measured of one run of the command."""

    seconds: float
    first: float
    """Seconds until a pair was done that was not done before."""
    early_mb: float
    """Of the client, once a tenth of the pairs was done."""
    late_mb: float
    """Of the client, the most."""


def make_table(folder: Path, pairs: int) -> Path:
    """A table of pairs, each with a moving file of its own of some bytes."""
    (folder / "fixed.nii").write_bytes(b"fixed")
    lines = ["name,fixed,moving"]
    for pair in range(pairs):
        (folder / f"moving{pair}.nii").write_bytes(b"moving %d" % pair)
        lines.append(f"pair-{pair},fixed.nii,moving{pair}.nii")
    table = folder / "table.csv"
    table.write_text("\n".join(lines) + "\n")
    return table


def resident(process: int) -> float:
    """MB of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def done(output: Path) -> int:
    """Pairs whose record is written."""
    return sum((entry / "result.json").exists() for entry in output.glob("pair-*"))


def measure(command: list[str], environment: dict[str, str], output: Path, pairs: int, stop_at: int | None) -> Run:
    """Run the command to its end, or kill it with its workers once so many pairs are done."""
    before = done(output)
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    first = early = late = 0.0
    while process.poll() is None:
        time.sleep(POLL)
        count = done(output)
        try:
            late = max(late, resident(process.pid))
        except (FileNotFoundError, IndexError):  # it has just ended
            break
        if not first and count > before:
            first = time.perf_counter() - start
        if not early and count >= before + (pairs - before) / 10:
            early = late
        if stop_at is not None and count >= stop_at:
            os.killpg(process.pid, signal.SIGKILL)
    if process.wait() != 0 and stop_at is None:
        raise SystemExit(f"the command ended with {process.returncode}")
    return Run(time.perf_counter() - start, first, early, late)


@contextmanager
def scheduler(workers: int, environment: dict[str, str]) -> Iterator[str]:
    """The address of a dask scheduler of this machine with worker processes of one thread."""
    from distributed import LocalCluster

    os.environ |= environment
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.0, help="that the stub waits")
    parser.add_argument("--scheduler", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_text(STUB)
        paths = os.pathsep.join(filter(None, (name, os.environ.get("PYTHONPATH"))))
        environment = os.environ | {"PYTHONPATH": paths, "DISA_STUB_SECONDS": str(arguments.seconds)}
        table, output = make_table(folder, arguments.pairs), folder / "out"
        command = [*CLIENT, str(table), "-o", str(output), "--device", "cpu"]
        columns = ("run", "seconds", "ms a pair", "seconds to the first new pair", "client early (MB)", "most (MB)")
        print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)

        def row(title: str, stop_at: int | None = None) -> None:
            before = done(output)
            run = measure(command, environment, output, arguments.pairs, stop_at)
            pairs = (done(output) - before) or arguments.pairs
            cells = [f"{run.seconds:.1f}", f"{1000 * run.seconds / pairs:.1f}", f"{run.first:.1f}"]
            print(f"| {title} | {' | '.join(cells)} | {run.early_mb:.0f} | {run.late_mb:.0f} |", flush=True)

        def rows() -> None:
            row("half of the pairs, then killed", arguments.pairs // 2)
            row("the rest")
            row("nothing left to do")

        if arguments.scheduler:
            with scheduler(arguments.workers, environment) as address:
                command += ["--scheduler", address]
                rows()
        else:
            command += ["--workers", str(arguments.workers)]
            rows()
    print(f"\n{arguments.pairs} pairs, {arguments.workers} workers, {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
