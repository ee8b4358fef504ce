# SPDX-License-Identifier: Apache-2.0
"""Fails the build where ITK's classes are laid out otherwise than in the itk wheel; else records their sizes.

python check_vtables.py PROBE.o ITK_WHEEL_DIR RECORD.json
"""

import importlib.util
import json
import sys
from pathlib import Path

source = Path(__file__).parents[1] / "python" / "disa" / "doors" / "itk" / "vtables.py"
spec = importlib.util.spec_from_file_location("_vtables", source)
vtables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(vtables)

probe, wheel, record = map(Path, sys.argv[1:])
sizes = vtables.vtable_sizes(probe, dynamic=False)
built = {name[len("Probe<") : -1]: size for name, size in sizes.items() if name.startswith("Probe<")}
differing = vtables.differences(built, vtables.wheel_sizes(wheel, built))
if differing or not built:
    sys.exit("the ITK headers do not fit the itk wheel (ITK_LEGACY_REMOVE?): " + "; ".join(differing or ["no probe"]))
record.write_text(json.dumps(built, indent=1))
