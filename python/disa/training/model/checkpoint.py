# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: tensors, numbers and text, read without running anything that is in them."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from disa.errors import ModelError
from disa.io.kinds import check_file
from disa.training.files import write
from disa.training.model.network import DISANet

EXPECTED = "expected a checkpoint written by disa train"
#: What a run needs to go on.
PARTS = {"network", "averaged", "optimisers", "shares", "step", "seconds", "loss", "losses", "log", "config"}


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Replace a checkpoint by `state`.

    Raises:
        TrainingError: it cannot be written; the one that was there is kept.
    """
    content = io.BytesIO()
    torch.save(state, content)
    write(path, content.getvalue())


def load_file(path: Path) -> dict[str, Any]:
    """What `torch.save` wrote, on the CPU.

    Raises:
        ModelError: the file is missing, or is none of plain tensors, numbers and text.
    """
    check_file(path, EXPECTED, ModelError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is refused below
            state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; {EXPECTED}") from None
    except Exception:  # noqa: BLE001 (a text taken for a pickle may fail in any way)
        raise ModelError(f"{path}: not a PyTorch file of plain weights; {EXPECTED}") from None
    return state if isinstance(state, dict) else {}


def check_weights(weights: object, path: Path) -> dict[str, Tensor]:
    """`weights`, a state dictionary of `DISANet`.

    Args:
        weights: to check.
        path: where they come from.

    Raises:
        ModelError: they are of another network.
    """
    expected = {name: value.shape for name, value in DISANet().state_dict().items()}
    items = weights.items() if isinstance(weights, dict) else ()
    found = {name: value for name, value in items if isinstance(value, Tensor)}
    if {name: value.shape for name, value in found.items()} != expected:
        raise ModelError(f"{path}: not the weights of a DISA network of 90,752 numbers; {EXPECTED}")
    return found


def load_checkpoint(path: Path) -> dict[str, Any]:
    """All that a run needs to go on.

    Raises:
        ModelError: the file is missing, is no checkpoint, or one of another network.
    """
    state = load_file(path)
    for part in ("network", "averaged"):
        if part in state:
            check_weights(state[part], path)
    missing = sorted(PARTS - state.keys())
    if missing:
        raise ModelError(f"{path}: no run can go on from it, it lacks {', '.join(missing)}; {EXPECTED}")
    return state


def averaged_weights(path: Path) -> dict[str, Tensor]:
    """The averaged weights of a checkpoint, or those of a file that holds weights alone.

    Raises:
        ModelError: the file is missing, is no checkpoint, or is of another architecture.
    """
    state = load_file(path)
    weights = check_weights(state.get("averaged", state), path)
    return {name: value.detach().float().contiguous().clone() for name, value in weights.items()}
