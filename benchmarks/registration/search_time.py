"""Seconds of one `disa.global_register` from 500 starts, extraction included, on all cores.

    python benchmarks/registration/search_time.py FOLDER [--layout eval] [--cases ...] [--repeats 5]

The initial pose is the truth turned about the fixed image's centre by so many degrees about an oblique axis: near, the
moving image's own axes will do; far, the fixed ones are searched along, too. Rigid, and at the near one with the push
of a probe on the face of the fixed image's box that lies across its first axis. Medians of the repeats after a first
call that is not counted, for each execution provider of the processor.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

import numpy as np
import SimpleITK as sitk
from cases import LAYOUTS, Case
from pairs import load

import disa
from disa.features import cache
from disa.network.session import processor_providers

TURNS = (0.0, 45.0)
OBLIQUE = (0.6, -0.5, 0.62)
LIMIT = 60.0
"""mm from the contact beyond which the probe moves nothing."""


def settings(case: Case) -> dict[str, dict[str, Any]]:
    """The rigid searches and the one with a push, by their names in the table."""
    pair = load(case, 0, 0)
    size = np.asarray(pair.fixed.GetSize())
    centre = pair.fixed.TransformContinuousIndexToPhysicalPoint(((size - 1) / 2).tolist())
    face = pair.fixed.TransformContinuousIndexToPhysicalPoint([-0.5, *((size[1:] - 1) / 2).tolist()])
    probe = disa.ProbePressure(face, tuple(np.subtract(centre, face)), LIMIT)
    images = {"fixed": pair.fixed, "moving": pair.moving, "fixed_mask": pair.fixed_mask}
    rigid = {
        f"{turn:.0f} degrees": images
        | {
            "initial_transform": sitk.CompositeTransform(
                [pair.truth, sitk.VersorRigid3DTransform(OBLIQUE, np.deg2rad(turn), (0.0, 0.0, 0.0), centre)]
            )
        }
        for turn in TURNS
    }
    return rigid | {"probe": rigid[f"{TURNS[0]:.0f} degrees"] | {"transform": "probe", "probe": probe}}


def seconds(options: dict[str, Any], repeats: int) -> float:
    times = []
    for _ in range(repeats + 1):
        cache.clear()  # extraction counts
        began = time.perf_counter()
        disa.global_register(**options)
        times.append(time.perf_counter() - began)
    return float(np.median(times[1:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the images")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), default="eval")
    parser.add_argument("--cases", nargs="+", help="only those whose name holds one of these")
    parser.add_argument("--model", default="disa-lc2")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    names = [*(f"{turn:.0f} degrees" for turn in TURNS), "probe"]
    print(f"| case | provider | {' | '.join(names)} |\n|---|---|{'---|' * len(names)}")
    for case in LAYOUTS[arguments.layout](arguments.folder):
        if not arguments.cases or any(part in case.name for part in arguments.cases):
            asked = settings(case)
            for provider in processor_providers():
                common = {"providers": [provider], "model": arguments.model}
                found = [f"{seconds(asked[name] | common, arguments.repeats):.1f} s" for name in names]
                print(f"| {case.name} | {provider} | {' | '.join(found)} |", flush=True)


if __name__ == "__main__":
    main()
