"""Makes the modules of benchmarks/ and benchmarks/registration importable: import this first."""

import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

sys.path += [str(BENCHMARKS / "registration"), str(BENCHMARKS)]
