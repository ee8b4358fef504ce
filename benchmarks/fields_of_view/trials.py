# SPDX-License-Identifier: Apache-2.0
"""The images of each part: pairs of which one has a mask, has been cut, or shows little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import SimpleITK as sitk
from bone import bone_of, bone_points
from cuts import box_about, cut_heads, near
from geometry import centre_of, covers, points_inside, sample_points
from pairs import Scene, rigid_about

PATIENTS = tuple(f"STS_04{number}" for number in range(1, 6))
BONY = PATIENTS[1:]
"""Those whose T1 shows some of the CT's bone."""

HEADS = (("openms_07", "t2"), ("openms_07", "flair"), ("openms_19", "t2"), ("openms_19", "flair"), ("adi", "t2"))

NEAR, FAR, CUT = (2.0, 6.0), (20.0, 40.0), (5.0, 15.0)
"""mm that starts are off."""

ABOUT_BONE, ABOUT_TUMOUR = 12.0, 30.0
"""mm."""

COMMON = (0.7, 0.5, 0.3)
SLABS = {"20 mm stack": (None, None, 20.0), "50 mm block": (50.0, 50.0, 50.0)}
SPINE = "spine"


@dataclass(frozen=True)
class Trial:
    """Two images that are each registered to the other.

    Attributes:
        part: name.
        case: unique in the part.
        group: what tables pool.
        names: what tables call the one and the other image of the scene.
        scene: reads them.
        bins: least and greatest mm that starts are off; None: the start is what the headers say.
        turned: whether the moving image gets a grid of its own.
        labels: files of a structure in both images, where the truth is not known.
    """

    part: str
    case: str
    group: str
    names: tuple[str, str]
    scene: Callable[[], Scene]
    bins: tuple[tuple[float, float] | None, ...]
    turned: bool = True
    labels: tuple[Path, Path] | None = None


def bone_masks(folder: Path, more: Path | None) -> list[Trial]:
    return _measured_at_bone("bone masks", folder, more)


def limbs(folder: Path, more: Path | None) -> list[Trial]:
    return _measured_at_bone("limbs", folder, more)


def _measured_at_bone(part: str, folder: Path, more: Path | None) -> list[Trial]:
    trials = []
    for patient in BONY:
        reference = None if more is None else more / f"{patient}_bone.tfm"
        if reference is not None and not reference.is_file():
            reference = None
        group = "to the headers" if reference is None else "to the reference at bone"
        scene = partial(_bone_scene, *_t1_and_ct(folder, patient), reference, part == "bone masks")
        trials.append(Trial(part, patient, group, ("T1", "CT"), scene, (NEAR, FAR)))
    return trials


def _bone_scene(t1: Path, ct: Path, reference: Path | None, is_masked: bool) -> Scene:
    one, other = _read(t1), _read(ct)
    truth: sitk.Transform = sitk.Euler3DTransform() if reference is None else sitk.ReadTransform(str(reference))
    points, targets = bone_points(one, other, truth)
    mask = near(bone_of(other), ABOUT_BONE) if is_masked else None
    return Scene(one, other, None, mask, points, targets, rigid_about(truth, centre_of(one)))


def tumour_masks(folder: Path, more: Path | None) -> list[Trial]:
    trials = []
    for patient in PATIENTS:
        for number, name in enumerate(("T1", "CT")):
            tumour = folder / f"{patient}_{name.lower()}_gtv.nii.gz"
            scene = partial(_tumour_scene, *_t1_and_ct(folder, patient), tumour, number)
            case, group = f"{patient}, {name}", f"mask on {name}"
            trials.append(Trial("tumour masks", case, group, ("T1", "CT"), scene, (NEAR, FAR)))
    return trials


def _tumour_scene(t1: Path, ct: Path, tumour: Path, number: int) -> Scene:
    one = _read(t1)
    mask = near(_read(tumour), ABOUT_TUMOUR)
    points = points_inside(mask, sample_points(one))
    masks = (mask, None) if number == 0 else (None, mask)
    return Scene(one, _read(ct), *masks, points, points, sitk.Euler3DTransform())


def heads_cut(folder: Path, more: Path | None) -> list[Trial]:
    return [
        Trial(
            "heads cut",
            f"{subject} {modality}, {100 * share:.0f} %",
            f"{100 * share:.0f} % in common",
            ("T1", modality.upper()),
            partial(_cut_scene, folder / f"{subject}_t1.nii.gz", folder / f"{subject}_{modality}.nii.gz", share),
            (CUT,),
        )
        for subject, modality in HEADS
        for share in COMMON
    ]


def _cut_scene(t1: Path, other: Path, share: float) -> Scene:
    return _aligned(*cut_heads(_read(t1), _read(other), share))


def spine(folder: Path, more: Path | None) -> list[Trial]:
    if more is None:
        return []
    images = [more / f"sct_{name}.nii.gz" for name in ("t1", "t2")]
    labels = (more / "sct_t1_cord.nii.gz", more / "sct_t2_cord.nii.gz")
    scene = partial(_whole_scene, *images)
    return [Trial(SPINE, "sct", "cervical spine", ("T1", "T2"), scene, (None,), turned=False, labels=labels)]


def pet(folder: Path, more: Path | None) -> list[Trial]:
    if more is None:
        return []
    scenes = {p: partial(_whole_scene, more / f"{p}_pet.nii.gz", _t1_and_ct(folder, p)[1]) for p in PATIENTS}
    return [Trial("PET", patient, "PET and CT", ("PET", "CT"), scene, (None,)) for patient, scene in scenes.items()]


def _whole_scene(one: Path, other: Path) -> Scene:
    return _aligned(_read(one), _read(other))


def slabs(folder: Path, more: Path | None) -> list[Trial]:
    trials = []
    for patient in PATIENTS:
        t1, ct = _t1_and_ct(folder, patient)
        for slab, sizes in SLABS.items():
            for names, files in {("T1", "CT"): (t1, ct), ("CT", "T1"): (ct, t1)}.items():
                case, group = f"{patient}, {slab} of {names[0]}", f"{slab} of {names[0]}"
                scene = partial(_slab_scene, *files, t1, sizes)
                trials.append(Trial("slabs", case, group, names, scene, (NEAR,)))
    return trials


def _slab_scene(one: Path, other: Path, about: Path, sizes: tuple[float | None, ...]) -> Scene:
    """A part of the one, about the centre of an image."""
    return _aligned(box_about(_read(one), centre_of(_read(about)), sizes), _read(other))


def _aligned(one: sitk.Image, other: sitk.Image) -> Scene:
    """Of images that share their world space; errors are measured where both are."""
    points = sample_points(one)
    points = points[covers(other, points)]
    return Scene(one, other, None, None, points, points, sitk.Euler3DTransform())


def _t1_and_ct(folder: Path, patient: str) -> tuple[Path, Path]:
    return folder / f"{patient}_t1.nii.gz", folder / f"{patient}_ct.nii.gz"


def _read(path: Path) -> sitk.Image:
    return sitk.ReadImage(str(path), sitk.sitkFloat32)


PARTS: dict[str, Callable[[Path, Path | None], list[Trial]]] = {
    "bone": bone_masks,
    "limbs": limbs,
    "tumour": tumour_masks,
    "heads": heads_cut,
    "spine": spine,
    "pet": pet,
    "slabs": slabs,
}
"""By what the command calls them: all trials of a folder and the one with further images."""
