# SPDX-License-Identifier: Apache-2.0
"""How large each wheel of ITK is, and how much of it the module for ITK's metric loads; needs readelf.

python benchmarks/itk_parts.py
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
from pathlib import Path

from disa.doors.itk.compiled import _itk


def libraries_of(library: Path) -> list[str]:
    """Names of the libraries that a library is linked to."""
    said = subprocess.run(["readelf", "-d", str(library)], capture_output=True, text=True, check=True).stdout
    return re.findall(r"\(NEEDED\)\s+Shared library: \[(.+)\]", said)


def main() -> None:
    wheels = [entry.partition("==")[0] for entry in importlib.metadata.requires("itk") or [] if "itk-" in entry]
    sizes = {}
    owners: dict[str, tuple[str, Path]] = {}
    for wheel in wheels:
        files = [Path(str(file.locate())) for file in importlib.metadata.files(wheel) or []]
        sizes[wheel] = sum(file.stat().st_size for file in files if file.exists())
        for file in files:
            if ".so" in file.suffixes:
                owners.setdefault(file.name, (wheel, file))
    loaded: dict[str, tuple[str, Path]] = {}
    waiting = libraries_of(Path(_itk.__file__))
    while waiting:
        name = waiting.pop()
        if name in owners and name not in loaded:
            loaded[name] = owners[name]
            waiting += libraries_of(owners[name][1])
    print("| wheel | MB | loaded (MB) | libraries |\n|---|---|---|---|")
    for wheel in wheels:
        mine = {name: file.stat().st_size for name, (owner, file) in loaded.items() if owner == wheel}
        names = ", ".join(f"`{name}`" for name in sorted(mine)) or "none"
        print(f"| `{wheel}` | {sizes[wheel] / 1e6:.0f} | {sum(mine.values()) / 1e6:.0f} | {names} |")
    whole = sum(file.stat().st_size for _, file in loaded.values())
    print(f"| all | {sum(sizes.values()) / 1e6:.0f} | {whole / 1e6:.0f} | {len(loaded)} |")


if __name__ == "__main__":
    main()
