# SPDX-License-Identifier: Apache-2.0
"""Damaged files of every kind, for so many minutes: `make fuzz MINUTES=10`. Exits with 1 where one was not taken well.

What is looked for: a process that dies, one that says nothing for 20 seconds, an exception that is not this package's
or has more than a line, and a file that is accepted and taken for something else than what stands in it. For images,
HDF5 and fields, which have no checksum, the last is not known.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

PATIENCE = 20.0
GOOD = ("refused", "accepted")


def try_files(folder: Path, start: int, seconds: float) -> None:
    """What a child does: a line of JSON for each file, before and after it is read."""
    from helpers.mutants import damaged, outcome, seeds

    kinds = seeds(folder)
    shares = np.array([seed.share for seed in kinds])
    end = time.monotonic() + seconds
    number = start
    while time.monotonic() < end:
        rng = np.random.default_rng(number)
        seed = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
        path = folder / f"damaged-{seed.name}"
        path.write_bytes(damaged(seed.content, rng))
        print(json.dumps([number, seed.name]), flush=True)
        print(json.dumps([number, seed.name, outcome(seed, path)]), flush=True)
        number += 1


def watch(kept: Path, start: int, seconds: float, counts: dict[str, Counter[str]]) -> int:
    """One child until it ends or has to be ended. Returns the number of the next file."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--child", folder, str(start), str(seconds)]
        log = Path(folder, "log")
        with log.open("w") as file:
            child = subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL)
        size, since = -1, time.monotonic()
        hung = False
        while child.poll() is None:
            time.sleep(0.2)
            if log.stat().st_size != size:
                size, since = log.stat().st_size, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                hung = True
                child.kill()
                child.wait()
        number, last = start, None
        for line in log.read_text().splitlines():
            number, name, *said = json.loads(line)
            last = name
            if said:
                last = None
                counts[name][said[0] if said[0] in (*GOOD, "different") else "backtrace"] += 1
                if said[0] not in GOOD:
                    print(f"file {number}, {name}: {said[0]}", flush=True)
        if last is not None and (hung or child.returncode != 0):
            counts[last]["hang" if hung else "crash"] += 1
            content = Path(folder, f"damaged-{last}").read_bytes()
            (kept / f"{number}-{last}").write_bytes(content)
            print(f"file {number}, {last}: exit code {child.returncode}, kept in {kept}", flush=True)
        elif child.returncode != 0:
            raise SystemExit(f"the child ended with {child.returncode} before it read a file")
        return number + 1


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0, help="number of the first file")
    parser.add_argument("--kept", type=Path, default=Path("build/fuzz"), help="folder for files that did harm")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        folder, start, seconds = arguments.child
        try_files(Path(folder), int(start), float(seconds))
        return
    arguments.kept.mkdir(parents=True, exist_ok=True)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    number, end = arguments.seed, time.monotonic() + 60 * arguments.minutes
    while (left := end - time.monotonic()) > 1:
        number = watch(arguments.kept, number, min(left, 60.0), counts)
    columns = (*GOOD, "different", "backtrace", "crash", "hang")
    print(f"{'file':20}" + "".join(f"{name:>11}" for name in columns))
    for name in sorted(counts):
        print(f"{name:20}" + "".join(f"{counts[name][column]:11}" for column in columns))
    total = sum(counts.values(), Counter())
    print(f"{'all':20}" + "".join(f"{total[column]:11}" for column in columns))
    sys.exit(any(total[column] for column in columns if column not in GOOD))


if __name__ == "__main__":
    main()
