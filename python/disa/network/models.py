# SPDX-License-Identifier: Apache-2.0
"""Where the networks are: shipped models by name, others by path, one file a stride."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from pathlib import Path

from disa.errors import ModelError
from disa.network.child_trial import SHIPPED
from disa.network.session import model_metadata

FIELDS = (
    "name",
    "version",
    "stride",
    "other_strides",
    "precision",
    "channels",
    "spacing_mm",
    "receptive_field",
    "normalisation",
    "weights",
    "made_from",
    "training_data",
    "licence",
    "weights_sha256",
)
"""Of a model file's metadata."""


def shipped_models() -> list[str]:
    """Names of the models that come with the package."""
    names = (path.name.rsplit("-stride", 1)[0] for path in shipped_files())
    return sorted({name.removesuffix("-fp16") for name in names})


def shipped_files() -> list[Path]:
    """Files of the models that come with the package."""
    return sorted(SHIPPED.glob("*-stride*.onnx"))


def find_model(model: str | os.PathLike[str], stride: int, on_gpu: bool = False) -> Path:
    """The .onnx file of a model for a stride.

    Args:
        model: name of a shipped model, or path of an .onnx file; for another stride than that file's, the file
            beside it whose name says `-stride2` instead of `-stride4` (or the like) is taken, or the file itself
            where there is none.
        stride: voxels between descriptors.
        on_gpu: take the float16 file of a shipped model if there is one; it is laid out for GPUs.

    Raises:
        ModelError: there is no such model or stride.
    """
    if not isinstance(model, str | os.PathLike):
        raise ModelError(f"model: expected a name or a path to an .onnx file, got {model!r}")
    text = os.fspath(model)
    if not text.endswith(".onnx"):
        if not (SHIPPED / f"{text}-stride4.onnx").exists() or os.sep in text:
            raise ModelError(
                f"model {text}: no such model; expected one of {', '.join(shipped_models())} or a path to an .onnx file"
            )
        half = SHIPPED / f"{text}-fp16-stride{stride}.onnx"
        if on_gpu and half.exists():
            return half
        path = SHIPPED / f"{text}-stride{stride}.onnx"
        if not path.exists():
            raise ModelError(f"stride {stride}: model {text} has strides {_strides(path)}")
        return path
    path = Path(re.sub(r"-stride\d+\.onnx$", f"-stride{stride}.onnx", text))
    if path.is_file():
        return path
    if not Path(text).is_file():
        raise ModelError(f"{path}: no such model file")
    return Path(text)  # one file may serve all strides


@functools.cache
def fingerprint(path: Path) -> str:
    """SHA-256 of a model file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def describe_model(path: Path) -> dict[str, str]:
    """What a model file says of itself, in the order that a reader wants it.

    Raises:
        ModelError: the file is missing, no network, or says nothing.
    """
    about = model_metadata(path)
    if "stride" not in about:
        raise ModelError(f"{path}: a network, but not one of this project's; expected one written by disa export")
    return {name: about[name] for name in FIELDS if name in about}


def _strides(path: Path) -> str:
    base = path.name.rsplit("-stride", 1)[0]
    found = (re.search(r"-stride(\d+)\.onnx$", p.name) for p in path.parent.glob(f"{base}-stride*.onnx"))
    return ", ".join(sorted((m.group(1) for m in found if m), key=int, reverse=True))
