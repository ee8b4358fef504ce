# SPDX-License-Identifier: Apache-2.0
"""What a wheel needs: installed into fresh environments, with the size, and what a registered pair costs.

    python benchmarks/environments.py WHEEL [WHEEL ...] [--only NAME ...] [--parts]

A wheel is tried with the Python that it was built for. `oldest` has the lowest version of each package that
pyproject.toml allows, the others the newest but for what their name says; some have no itk. In each, tests/installed.py
registers a pair through every door that there is, by command, call, class and metric; the seconds are those of the
processors, from the start of Python. Exits with 1 where one fails. --parts lists the packages of each, largest first.
Needs uv (the group `environments` of pyproject.toml), which links what it has downloaded once.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).resolve().parents[1]
UV = [sys.executable, "-m", "uv", "--quiet", "--no-python-downloads"]
DOORS = ("command", "python", "simpleitk", "itk")
RUNTIMES = ("onnxruntime", "onnxruntime-openvino", "onnxruntime-gpu")


@dataclass(frozen=True)
class Environment:
    """What is installed beside the wheel.

    Attributes:
        extras: of the package; ITK's metric is tried where one of them is itk.
        pins: requirements besides.
        is_oldest: take the lowest versions that pyproject.toml allows.
    """

    extras: tuple[str, ...] = ("cpu", "itk")
    pins: tuple[str, ...] = ()
    is_oldest: bool = False


ENVIRONMENTS = {
    "oldest": Environment(is_oldest=True),
    "itk-5.4.2": Environment(pins=("itk==5.4.2.post1",)),
    "simpleitk-2.3": Environment(pins=("SimpleITK==2.3.*",)),
    "numpy-1": Environment(pins=("numpy==1.*",)),
    "onnxruntime-1.19": Environment(pins=("onnxruntime==1.19.*",)),
    "newest": Environment(),
    "openvino": Environment(("openvino", "itk")),
    "without-itk": Environment(("cpu", "simpleitk")),
    "openvino-without-itk": Environment(("openvino", "simpleitk")),
}


def python_of(wheel: Path) -> str:
    """The version of Python that a wheel was built for, such as 3.11."""
    _, _, _, tags = parse_wheel_filename(wheel.name)
    digits = next(iter(tags)).interpreter.removeprefix("cp")
    return f"{digits[0]}.{digits[1:]}"


def install(environment: Environment, wheel: Path, folder: Path) -> None:
    """Make an environment in a folder. Raises CalledProcessError."""
    subprocess.run([*UV, "venv", "--python", python_of(wheel), str(folder)], check=True)
    pip = [*UV, "pip", "install", "--python", str(folder), "--only-binary", ":all:", "--compile-bytecode"]
    if environment.is_oldest:
        oldest = ["--resolution", "lowest-direct", "-r", str(ROOT / "pyproject.toml")]
        oldest += [word for extra in environment.extras for word in ("--extra", extra)]
        subprocess.run([*pip, *oldest], check=True)
        subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    else:
        wanted = f"itk-disa[{','.join(environment.extras)}] @ {wheel.resolve().as_uri()}"
        subprocess.run([*pip, wanted, *environment.pins], check=True)


def megabytes(folder: Path) -> float:
    """Of all files in a folder, each counted at its full size."""
    return sum(path.lstat().st_size for path in folder.rglob("*")) / 1e6


def parts(folder: Path) -> str:
    """The packages of an environment with their MB, those below 1 MB left out."""
    sizes = {
        found.name: sum(Path(str(found.locate_file(file))).lstat().st_size for file in found.files or []) / 1e6
        for found in importlib.metadata.distributions(path=[str(path) for path in folder.glob("lib/*/site-packages")])
    }
    large = sorted((package for package in sizes if sizes[package] >= 1), key=lambda package: -sizes[package])
    return ", ".join(f"`{package}` {sizes[package]:.0f}" for package in large)


def row(name: str, wheel: Path, *, with_parts: bool) -> tuple[list[str], bool]:
    """A line of the table, and whether all went well."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "environment"
        try:
            install(ENVIRONMENTS[name], wheel, folder)
        except subprocess.CalledProcessError:  # uv has said why
            return [name, python_of(wheel), "cannot be installed"], False
        size = megabytes(folder)
        holds = [parts(folder)] if with_parts else []
        tried = [door for door in DOORS if door != "itk" or "itk" in ENVIRONMENTS[name].extras]
        trial = [str(folder / "bin" / "python"), str(ROOT / "tests" / "installed.py"), *tried]
        ran = subprocess.run(trial, stdout=subprocess.PIPE, text=True, check=False)
        if not ran.stdout:
            return [name, python_of(wheel), f"failed, exit code {ran.returncode}"], False
        found = json.loads(ran.stdout)
    versions, doors = found["versions"], found["doors"]
    runtime = next((f"{package} {versions[package]}" for package in RUNTIMES if package in versions), "none")
    cells = [
        name,
        versions["Python"],
        versions.get("itk-core", "none"),
        versions["SimpleITK"],
        versions["numpy"],
        runtime,
    ]
    cells.append(f"{size:.0f}")
    cells += [door.get("failed") or f"{door['processor_seconds']:.0f}" for door in doors.values()]
    cells += ["none"] * (len(DOORS) - len(doors))
    errors = [door["error_mm"] for door in doors.values() if "error_mm" in door]
    return [*cells, f"{max(errors):.2f}" if errors else "", *holds], ran.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path, nargs="+")
    parser.add_argument("--only", nargs="+", choices=ENVIRONMENTS, default=list(ENVIRONMENTS))
    parser.add_argument("--parts", action="store_true")
    arguments = parser.parse_args()
    header = ["environment", "Python", "itk", "SimpleITK", "numpy", "runtime", "MB"]
    header += ["command (s)", "call (s)", "class (s)", "metric (s)", "error (mm)"]
    header += ["packages (MB)"] if arguments.parts else []
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    is_well = True
    for wheel in arguments.wheels:
        for name in arguments.only:
            cells, went_well = row(name, wheel, with_parts=arguments.parts)
            is_well &= went_well
            print(f"| {' | '.join(cells)} |", flush=True)
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
