# SPDX-License-Identifier: Apache-2.0
"""The paper's registration experiments: pairs x methods x bins of initial error, local and global.

    python benchmarks/registration/run.py FOLDER --output RUNS [--layout eval] [--roles both] [--poses 50] [...]

Every moving image is first resampled onto a turned and shifted grid. In the swapped role the layout's fixed image is
the moving one; the starts are the same and errors are measured at the same points. RUNS/runs.csv gets a row a run; the
same command goes on where it was stopped, and others may add to it. RUNS/RESULTS.md and its plots are written anew at
the end and by --report alone. Layouts: `eval`, SUBJECT_t1.nii.gz with SUBJECT_ct, _t2 or _flair; `ultrasound`, the same
files, simulated ultrasound of one and another; `table`, a pairs.csv; `resect`, `learn2reg` (AbdomenMRCT), `remind2reg`
and `muregpro` as published.
Needs `pip install '.[bench]'`.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from command import cases_of, parser_of, rows_of, run_missing
from methods import METHODS, NEAR_METHODS
from report import write_report


def main() -> None:
    parser = parser_of(__doc__, poses=50)
    parser.add_argument("--methods", nargs="+", choices=sorted(METHODS | NEAR_METHODS), default=list(METHODS))
    parser.add_argument(
        "--edges", type=float, nargs="+", default=[0.0, 25.0, 50.0, 75.0, 100.0], help="of the bins, mm"
    )
    parser.add_argument("--starts", type=int, default=500, help="of the global search")
    arguments = parser.parse_args()
    cases = cases_of(parser, arguments)
    commands = arguments.output / "commands.txt"
    if not arguments.report:
        named = {str(arguments.folder): "FOLDER", str(arguments.output): "RUNS"}
        note(commands, [named.get(word, word) for word in sys.argv[1:]])
    run_missing(arguments, cases, arguments.methods, arguments.edges, arguments.starts)
    write_report(rows_of(parser, arguments), arguments.output, commands.read_text().splitlines())


def note(path: Path, words: list[str]) -> None:
    """Add the command to those that made the table, once."""
    line = shlex.join(["python", "benchmarks/registration/run.py", *words])
    known = path.read_text().splitlines() if path.is_file() else []
    if line not in known:
        path.write_text("\n".join([*known, line]) + "\n")


if __name__ == "__main__":
    main()
