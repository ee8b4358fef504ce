# SPDX-License-Identifier: Apache-2.0
"""The methods that `deformation_at_bone.py` compares, each from a scene to a transform from fixed to moving points."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from deformable_methods import convex_adam, mattes

import disa
from disa.geometry.linear import matrix_and_offset

NEAR = 12.0
"""mm about bone that a mask at bone holds."""


@dataclass(frozen=True)
class Scene:
    """Two images, and what is known of them.

    Attributes:
        fixed, moving: float32.
        pose: rigid, where methods start.
        reference: rigid, right at bone.
        fixed_bone, moving_bone: uint8, not 0 at bone; None for the image that is no CT.
        fixed_landmarks, moving_landmarks: four points of bone, shape (4, 3), mm, at which no error is measured. The
            moving ones are off by 2 mm along each axis (standard deviation), as a person's are.
    """

    fixed: sitk.Image
    moving: sitk.Image
    pose: sitk.Transform
    reference: sitk.Transform
    fixed_bone: sitk.Image | None
    moving_bone: sitk.Image | None
    fixed_landmarks: np.ndarray
    moving_landmarks: np.ndarray

    @property
    def masks(self) -> dict[str, sitk.Image]:
        """What lies near bone, as arguments."""
        bones = {"fixed_mask": self.fixed_bone, "moving_mask": self.moving_bone}
        return {name: near(bone, NEAR) for name, bone in bones.items() if bone is not None}


Found = sitk.Transform | disa.RegistrationResult
Method = Callable[[Scene], Found]


def transform_of(found: Found) -> sitk.Transform:
    return found.transform if isinstance(found, disa.RegistrationResult) else found


def near(mask: sitk.Image, distance: float) -> sitk.Image:
    """1 within so many mm of a mask, else 0."""
    apart = sitk.SignedMaurerDistanceMap(mask, squaredDistance=False, useImageSpacing=True)
    return sitk.Cast(apart <= distance, sitk.sitkUInt8)


def pose(start: str = "pose", *, at_bone: bool = False, **settings: Any) -> Method:
    def register(scene: Scene) -> Found:
        masks = scene.masks if at_bone else {}
        return disa.register(scene.fixed, scene.moving, initial_transform=getattr(scene, start), **masks, **settings)

    return register


def deformable(start: str = "pose", **settings: Any) -> Method:
    return lambda scene: disa.deformable_register(
        scene.fixed, scene.moving, initial_transform=getattr(scene, start), **settings
    )


def constrained(start: str = "pose", *, landmarks: bool = False, rigid: bool = True, **settings: Any) -> Method:
    """With bone kept rigid, and with four landmarks at bone."""

    def register(scene: Scene) -> Found:
        given: dict[str, Any] = {}
        if rigid:
            given |= {"fixed_rigid_parts": scene.fixed_bone, "moving_rigid_parts": scene.moving_bone}
        if landmarks:
            given |= {"fixed_landmarks": scene.fixed_landmarks, "moving_landmarks": scene.moving_landmarks}
        return deformable(start, constraints=disa.Constraints(**given), **settings)(scene)

    return register


def rigid_bone_after(scene: Scene) -> Found:
    """The pose of what lies near bone first."""
    return constrained()(replace(scene, pose=transform_of(pose(at_bone=True, spacing=2.0)(scene))))


def weighted_at_bone(scene: Scene) -> Found:
    """With five times the weight near bone, which the pose brings into the fixed image."""
    if scene.fixed_bone is not None:
        close = near(scene.fixed_bone, NEAR)
    else:
        assert scene.moving_bone is not None
        grid = near(scene.moving_bone, NEAR)
        close = sitk.Resample(grid, scene.fixed, scene.pose, sitk.sitkNearestNeighbor, 0.0)
    return deformable(fixed_weights=1.0 + 4.0 * sitk.Cast(close, sitk.sitkFloat32))(scene)


def within_mask_at_bone(scene: Scene) -> Found:
    """Under a mask of what lies near bone."""
    return deformable(**scene.masks)(scene)


def deformable_from_affine(scene: Scene) -> Found:
    return deformable()(replace(scene, pose=transform_of(pose(transform="affine")(scene))))


def from_pose(method: Callable[[sitk.Image, sitk.Image], sitk.Transform]) -> Method:
    """A method that knows no start: the moving image is placed by the pose, without resampling it."""

    def register(scene: Scene) -> sitk.Transform:
        matrix, offset = matrix_and_offset(scene.pose, "pose")
        placed = sitk.Image(scene.moving)
        placed.SetOrigin((np.linalg.inv(matrix) @ (np.asarray(placed.GetOrigin()) - offset)).tolist())
        axes = np.linalg.inv(matrix) @ np.asarray(placed.GetDirection()).reshape(3, 3)
        placed.SetDirection(axes.ravel().tolist())
        return sitk.CompositeTransform([scene.pose, method(scene.fixed, placed)])

    return register


def syn(metric: str) -> Method:
    """ANTs' SyN (pip install antspyx), its affine stage left out."""

    def register(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
        import ants

        with tempfile.TemporaryDirectory() as folder:
            images = []
            for name, image in (("fixed", fixed), ("moving", moving)):
                path = str(Path(folder) / f"{name}.nii.gz")
                sitk.WriteImage(image, path)
                images.append(ants.image_read(path))
            found = ants.registration(*images, "SyNOnly", syn_metric=metric, outprefix=f"{folder}/", random_seed=1)
            warp = next(path for path in found["fwdtransforms"] if path.endswith(".nii.gz"))
            return sitk.DisplacementFieldTransform(sitk.ReadImage(warp, sitk.sitkVectorFloat64))

    return from_pose(register)


METHODS: dict[str, Method] = {
    "rigid": lambda scene: scene.pose,
    "rigid from the reference": pose("reference"),
    "affine": pose(transform="affine"),
    "rigid near bone": pose(at_bone=True, spacing=2.0),
    "deformable, stride 4": deformable(stride=4),
    "deformable": deformable(),
    "deformable, stride 1": deformable(stride=1),
    "deformable after affine": deformable_from_affine,
    "deformable, weight at bone": weighted_at_bone,
    "deformable, mask at bone": within_mask_at_bone,
    "deformable, fold_free": deformable(fold_free=True),
    "deformable from the reference": deformable("reference"),
    "MIND-SSC": deformable(model="mind-ssc"),
    "MIND-SSC from the reference": deformable("reference", model="mind-ssc"),
    "rigid bone": constrained(),
    "rigid bone from the reference": constrained("reference"),
    "rigid bone, MIND-SSC": constrained(model="mind-ssc"),
    "landmarks": constrained(landmarks=True, rigid=False),
    "rigid bone, landmarks": constrained(landmarks=True),
    "rigid bone after rigid near bone": rigid_bone_after,
    "B-spline, Mattes": from_pose(mattes),
    "SyN, Mattes": syn("mattes"),
    "SyN, CC": syn("CC"),
    "convexAdam": from_pose(convex_adam),
}
