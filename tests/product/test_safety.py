# SPDX-License-Identifier: Apache-2.0
"""Nothing that is read can run code or kill the process: files of foreign origin, damaged ones, absurd headers."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.io.images import load_image
from disa.network.models import find_model
from disa.network.seal import MAXIMUM_BYTES
from disa.network.session import open_session
from helpers.paths import ROOT

PICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
KEYWORD = {"np.load": ("allow_pickle", False), "torch.load": ("weights_only", True)}
UNSAFE = {"yaml.load", "yaml.unsafe_load", "eval", "exec", "np.lib.format.read_array"}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for folder in ("python", "benchmarks", "examples"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_nothing_is_unpickled() -> None:
    """Of `pickle` only the exception is used, that torch raises where a file wants to run code."""
    found = []
    loads = 0
    for path, tree in sources():
        for node in ast.walk(tree):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.ImportFrom) and node.module in PICKLING:
                found.append(where)
            if (
                isinstance(node, ast.Attribute)
                and ast.unparse(node.value) in PICKLING
                and ast.unparse(node) != "pickle.UnpicklingError"
            ):
                found.append(where)
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                keywords = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
                if name in KEYWORD:
                    loads += 1
                    keyword, value = KEYWORD[name]
                    if keywords.get(keyword) is not value:
                        found.append(where)
                if name in UNSAFE:
                    found.append(where)
    assert found == []
    assert loads >= 3


def test_models_are_checked_by_size_and_hash_before_anything_reads_them(tmp_path: Path) -> None:
    content = find_model("disa-lc2", 4).read_bytes()
    rng = np.random.default_rng(0)
    damaged = [content[: int(n)] for n in (0, 1, 90, len(content) // 2, len(content) - 1)] + [content + b"\0"]
    for place in rng.integers(0, len(content), 40):
        changed = bytearray(content)
        changed[place] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(changed))
    path = tmp_path / "net-stride4.onnx"
    for wrong in damaged:
        path.write_bytes(wrong)
        with pytest.raises(disa.ModelError, match=r"^.*net-stride4\.onnx: (damaged|cut short)") as caught:
            open_session(path, 4, ("CPUExecutionProvider",))
        assert "\n" not in str(caught.value)
    with path.open("wb") as file:
        file.truncate(MAXIMUM_BYTES + 1)
    with pytest.raises(disa.ModelError, match="too many for a model"):
        open_session(path, 4, ("CPUExecutionProvider",))


FUZZ = """
import sys
import zlib
from pathlib import Path
import numpy as np
import disa
from disa.core import FeatureVolume, _core
from disa.network import session
from disa.network.session import open_session, run_network
from disa.network.seal import sealed
from disa.io.reading import read_image
from disa.io.transform_files import read_transform

kind, path, count, whole = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).read_bytes()
rng = np.random.default_rng(7)
volume = rng.normal(size=(12, 12, 12)).astype(np.float32)
refused = 0
session.try_in_child = lambda content, path, providers: None  # this process is the one that tries
for _ in range(count):
    content = bytearray(whole)
    for _ in range(int(rng.integers(1, 8))):
        # half of the changes lie in the header or the graph's end, where they matter most
        place = rng.integers(len(content)) if rng.random() < 0.5 else rng.integers(-1200, 168)
        content[int(place) % len(content)] = int(rng.integers(256))
    if rng.random() < 0.2:
        content = content[: int(rng.integers(len(content)))]
    if kind == "features":
        content = content[:-4] + zlib.crc32(content[:-4]).to_bytes(4, "little")
    path.write_bytes(sealed(bytes(content)) if kind == "model" else bytes(content))
    try:
        if kind in (".h5", ".tfm"):
            read_transform(path)
        elif kind in (".nii", ".nrrd"):
            read_image(path)
        elif kind == "model":
            open_session.cache_clear()
            run_network(volume, path, 4, ["CPUExecutionProvider"])
        else:
            features = FeatureVolume.load(path)
            features.quantized()
            search = _core.PoseSearch("rigid", np.eye(3).ravel(), np.zeros(3), *_core.extent_of(features))
            settings = _core.StageSettings(samples=0, tolerance=0.1, iterations=3, keep=1, distinct=1.0)
            search.optimize([[0.0] * 6], [_core.Term(features, features)] * 2, settings)
    except disa.DISAError as error:
        assert "\\n" not in str(error), error
        refused += 1
print("refused", refused)
"""


@pytest.mark.parametrize(
    ("kind", "count"),
    [("model", 100), ("features", 400), (".h5", 15), (".tfm", 200), (".nii", 200), (".nrrd", 200)],
)
def test_damaged_files_are_refused_and_never_kill_the_process(
    make_features, tmp_path: Path, kind: str, count: int
) -> None:
    """Also where the checksum was made to fit."""
    whole = tmp_path / "whole"
    if kind == "model":
        whole.write_bytes(find_model("disa-lc2", 4).read_bytes())
    elif kind == "features":
        make_features((5, 6, 7)).save(whole)
    else:
        written = tmp_path / f"written{kind}"
        if kind in (".h5", ".tfm"):
            sitk.WriteTransform(sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, 0.2, 0.3), str(written))
        else:
            sitk.WriteImage(sitk.GaussianSource(size=(6, 7, 8)), str(written))
        whole.write_bytes(written.read_bytes())
    ending = kind if kind.startswith(".") else ".onnx"
    command = [sys.executable, "-c", FUZZ, kind, f"{tmp_path}/fuzzed{ending}", str(count), str(whole)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert int(ran.stdout.split()[-1]) > count / 20


@pytest.mark.parametrize("name", ["a.nii", "a.mha", "a.nrrd"])
def test_a_header_that_asks_for_terabytes_is_refused_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    sitk.WriteImage(sitk.Image(8, 9, 10, sitk.sitkInt16), str(path))
    content = path.read_bytes()
    if name == "a.nii":
        content = content[:42] + np.array([20000, 20000, 20000], "<i2").tobytes() + content[48:]
    else:
        assert b"8 9 10" in content
        content = content.replace(b"8 9 10", b"20000 20000 20000")
    path.write_bytes(content)
    with pytest.raises(disa.ImageError) as caught:
        load_image(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


FULL = """
import resource, sys
from pathlib import Path
import SimpleITK as sitk
import disa
from disa.io.writing import write_image, write_text, write_transform

folder = Path(sys.argv[1])
features = disa.FeatureVolume.load(folder / "a.disa")
image = sitk.GaussianSource(size=(30, 30, 30))
field = sitk.DisplacementFieldTransform(sitk.Image((9, 9, 9), sitk.sitkVectorFloat64))
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # as a disk does that is nearly full
for write in (
    lambda: features.save(folder / "a.disa"),
    lambda: write_transform(field, folder / "a.h5"),
    lambda: write_transform(field, folder / "a.tfm"),
    lambda: write_image(image, folder / "a.nii.gz"),
    lambda: write_image(image, folder / "a.mha"),
    lambda: write_image(image, folder / "a.nii"),
    lambda: write_image(image, folder / "a.nrrd"),
    lambda: write_image(image, folder / "b.mhd"),
    lambda: write_image(image, folder / "b.nhdr"),
    lambda: write_image(image, folder / "b.hdr"),
    lambda: write_text(folder / "a.txt", 3000 * "x"),
):
    try:
        write()
    except disa.DISAError as error:
        print(error)
"""


@pytest.mark.parametrize("room", [0, 2000])
def test_a_full_disk_leaves_what_was_there_before(make_features, tmp_path: Path, room: int) -> None:
    make_features((5, 6, 7)).save(tmp_path / "a.disa")
    for name in ("a.h5", "a.tfm", "a.nii.gz", "a.nii", "a.nrrd", "a.mha", "a.txt", "b.mhd", "b.nhdr", "b.hdr"):
        (tmp_path / name).write_text("before")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    command = [sys.executable, "-c", FULL, str(tmp_path), str(room)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    said = ran.stdout.splitlines()
    assert sorted(line.split(":")[0] for line in said) == sorted(str(tmp_path / name) for name in before)
