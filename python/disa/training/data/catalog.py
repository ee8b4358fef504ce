# SPDX-License-Identifier: Apache-2.0
"""Which volumes a run trains on, and what is known of them.

Without a table these are all volumes under the `images`: a subject is the first folder below, or the file itself
where there is none; nothing is aligned with anything else. A table (`groups`) is a CSV with one line a volume and these
columns, of which only `file` must be there:

- file: path below `images`, or as on a command line if that is not given; only volumes in the table are used.
- modality: anything, "CT".
- subject: identifier of the person; subjects are held out as a whole.
- group: volumes of one group share world space, so the same place in mm is the same anatomy.
- split: train, validation, or evaluation for what training must not touch; train if empty.
- transform: file, beside the table, of a rigid transform from points of the group's world space to points of this
  volume; none if empty. `disa.training.data.align` makes such a table.
- tolerance: mm by which its anatomy may lie off where the world space of its group says, 0 if empty. 9 of a CT whose
  patient lay otherwise for the MR; 0 of images of one session. The losses on places go by it.
"""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from disa.errors import ConfigError, ImageError
from disa.io.images import IMAGE_ENDINGS
from disa.training.config import TrainingConfig
from disa.training.data.volumes import SPLITS, VolumeInfo


@dataclass(frozen=True)
class Source:
    """A volume on disk.

    Attributes:
        path: file, or folder with one DICOM series.
        info: what is known of it.
        transform: file of a transform from points of its group's world space to its own; None: they are the same.
    """

    path: Path
    info: VolumeInfo
    transform: Path | None = None


def find_sources(config: TrainingConfig) -> list[Source]:
    """The volumes of a run, in the order of their paths or of the table, with subjects held out.

    Raises:
        ConfigError: the settings or the table name no usable set of volumes.
        ImageError: files of the table are not there.
    """
    found = _of_table(config) if config.groups else _of_folders(config)
    names = _unique_names([source.path for source in found])
    named = [replace(s, info=replace(s.info, name=name)) for s, name in zip(found, names, strict=True)]
    return _hold_out(named, config)


def _of_folders(config: TrainingConfig) -> list[Source]:
    sources = []
    for root in [config.images] if isinstance(config.images, str) else config.images:
        for path in _volumes_under(Path(root)):
            below = path.relative_to(root).parts
            subject = below[0] if len(below) > 1 else _stem(path)
            sources.append(Source(path, VolumeInfo("", "", subject, "", "train")))
    if not sources:
        raise ConfigError(f"images: no volumes in {config.images}; expected {', '.join(IMAGE_ENDINGS)} or DICOM series")
    return sources


def _volumes_under(root: Path) -> Iterator[Path]:
    if not root.exists():
        raise ConfigError(f"images: {root}: no such file or folder")
    if root.is_file():
        yield root
    for folder, inner, files in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        visible = sorted(name for name in files if not name.startswith("."))
        images = [name for name in visible if name.lower().endswith(IMAGE_ENDINGS)]
        yield from (Path(folder, name) for name in images)
        if any(_is_dicom(Path(folder, name)) for name in visible if name not in images and name != "DICOMDIR"):
            yield Path(folder)


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _of_table(config: TrainingConfig) -> list[Source]:
    table = Path(config.groups)
    if not isinstance(config.images, str):
        raise ConfigError("images is a list and groups is given; with a table, images is the folder its files are in")
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), reader.fieldnames or []
    except OSError as error:
        raise ConfigError(f"groups: {table}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"groups: {table}: not a CSV table: {error}") from None
    if "file" not in columns:
        raise ConfigError(f"groups: {table}: no column file, but {', '.join(columns) or 'nothing'}")
    sources = [_of_row(row, Path(config.images), table, at) for at, row in enumerate(rows, 2)]
    named = [path for source in sources for path in (source.path, source.transform) if path is not None]
    missing = [str(path) for path in named if not path.exists()]
    if missing:
        raise ImageError("\n".join(f"{path}: no such file, but {table} lists it" for path in missing))
    if not sources:
        raise ConfigError(f"groups: {table}: lists no volumes")
    return sources


def _of_row(row: dict[str, str | None], folder: Path, table: Path, line: int) -> Source:
    place = f"groups: {table}, line {line}"
    file, modality, subject, group, split, transform = (
        (row.get(column) or "").strip() for column in ("file", "modality", "subject", "group", "split", "transform")
    )
    if not file:
        raise ConfigError(f"{place}: no file")
    if split not in ("", *SPLITS):
        raise ConfigError(f"{place}: split is {split}, expected {', '.join(SPLITS)} or nothing")
    path = folder / file
    tolerance = _millimetres((row.get("tolerance") or "0").strip() or "0", place)
    info = VolumeInfo("", modality, subject or group or file, group, split or "train", tolerance)
    return Source(path, info, table.parent / transform if transform else None)


def _millimetres(text: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ConfigError(f"{place}: tolerance is {text}, expected 0 or more mm, or nothing")
    return value


def _stem(path: Path) -> str:
    for ending in IMAGE_ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.name


def _unique_names(paths: list[Path]) -> list[str]:
    """File names without endings; with their folders, or in full, where those are not unique."""
    ways: tuple[Callable[[Path], str], ...] = (_stem, lambda path: str(path.parent / _stem(path)))
    for way in ways:
        names = [way(path) for path in paths]
        if len(set(names)) == len(names):
            return names
    twice = [path for path, count in Counter(paths).items() if count > 1]
    if twice:
        raise ConfigError(f"{twice[0]}: given twice; give each volume once")
    return [str(path) for path in paths]


def _hold_out(sources: list[Source], config: TrainingConfig) -> list[Source]:
    """Move subjects from training to validation where the table has none there."""
    if not any(source.info.split == "validation" for source in sources):
        subjects = sorted({source.info.subject for source in sources if source.info.split == "train"})
        if len(subjects) < 2:
            raise ConfigError("images: expected two subjects or more, one to hold out; see groups for naming them")
        count = min(max(1, round(config.held_out * len(subjects))), len(subjects) - 1)
        chosen = set(np.random.default_rng(config.seed).permutation(subjects)[:count].tolist())
        sources = [
            replace(s, info=replace(s.info, split="validation"))
            if s.info.split == "train" and s.info.subject in chosen
            else s
            for s in sources
        ]
    if not any(source.info.split == "train" for source in sources):
        raise ConfigError(f"groups: {config.groups}: no volume is left to train on")
    return sources
