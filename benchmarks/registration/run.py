"""The paper's registration experiments: pairs x methods x bins of initial error, local and global.

    python benchmarks/registration/run.py FOLDER --output RUNS [--layout eval] [--poses 50] [--methods ...]

Every moving image is first resampled onto a turned and shifted grid. RUNS/runs.csv gets a row a run; the same command
goes on where it was stopped. RUNS/RESULTS.md and its plots are written anew at the end and by --report alone.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from itertools import pairwise
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from cases import LAYOUTS
from methods import METHODS, Options
from report import write_report
from runs import Run, perform, read_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the images")
    parser.add_argument("--output", type=Path, required=True, help="folder for the table, the report and the plots")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), default="eval", help="how the folder names its pairs")
    parser.add_argument("--cases", nargs="+", help="only those whose name holds one of these")
    parser.add_argument("--methods", nargs="+", choices=sorted(METHODS), default=list(METHODS))
    parser.add_argument(
        "--edges", type=float, nargs="+", default=[0.0, 25.0, 50.0, 75.0, 100.0], help="of the bins, mm"
    )
    parser.add_argument("--poses", type=int, default=50, help="random starts a bin and pair")
    parser.add_argument("--starts", type=int, default=500, help="of the global search")
    parser.add_argument("--fine-spacing", type=float, help="mm, of a last stage of DISA")
    parser.add_argument("--model", default="disa-lc2")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", action="store_true", help="run nothing")
    arguments = parser.parse_args()

    cases = LAYOUTS[arguments.layout](arguments.folder)
    if arguments.cases:
        cases = [case for case in cases if any(part in case.name for part in arguments.cases)]
    if not cases:
        parser.error(f"{arguments.folder}: no pairs of layout {arguments.layout}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    table = arguments.output / "runs.csv"
    if not arguments.report:
        runs = [
            Run(case, edges, pose, method)
            for pose in range(arguments.poses)
            for case in cases
            for edges in pairwise(arguments.edges)
            for method in arguments.methods
        ]
        perform(runs, table, arguments.seed, Options(arguments.model, arguments.starts, arguments.fine_spacing))
    rows = read_rows(table)
    if not rows:
        parser.error(f"{table}: no runs yet")
    options = [word for word in sys.argv[1:] if word != str(arguments.folder)]
    write_report(rows, arguments.output, shlex.join(["python", "benchmarks/registration/run.py", "FOLDER", *options]))


if __name__ == "__main__":
    main()
