"""Registration by MIND-SSC through DISA's own stages and kernel: only the descriptors differ."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from mind import averaged, mind_ssc
from pairs import Pair

from disa.core import FeatureVolume, _core
from disa.features.extract import frame_of
from disa.features.resampling import MARGIN, resample
from disa.features.side import ImageSource, extend_beyond_masks
from disa.pose.result import RegistrationResult
from disa.pose.task import FIXED_STRIDE, Task, first_pose

SPACING = 2.0


class MindSource(ImageSource):
    """An image described by MIND-SSC (Heinrich et al., MICCAI 2013), radius 2 and distance 2 voxels, 12 channels.

    The mean over the cubes between descriptors stands for each, as in the paper's Table 2; less its own mean and at
    unit length, so that an inner product is 1 - |a - b|^2 / 2. Channels 13 to 16 are 0. All weigh alike: weighted by
    local variance, as DISA's are, they ended further off on each of three pairs of the training data.
    """

    def __init__(self, image: sitk.Image, name: str, mask: sitk.Image | None) -> None:
        super().__init__(image, name, mask, "none", None)

    def _describe(
        self, spacing: float, stride: int, axes: np.ndarray, around: np.ndarray | None, weighted: bool
    ) -> FeatureVolume:
        grid = self._grid(spacing, axes, around)
        volume = resample(self._normal(spacing), grid)
        kept = (slice(MARGIN // stride, -MARGIN // stride),) * 3
        mind = averaged(mind_ssc(sitk.GetArrayViewFromImage(volume)), stride)[kept]
        mind -= mind.mean(axis=-1, keepdims=True)
        mind /= np.linalg.norm(mind, axis=-1, keepdims=True).clip(1e-6)
        channels = np.zeros((*mind.shape[:3], 16), np.float32)
        channels[..., :12] = mind
        frame = {
            "origin": grid.origin + grid.direction @ np.full(3, MARGIN * spacing),
            "spacing": (spacing * stride,) * 3,
            "direction": grid.direction.ravel(),
        }
        seen = _core.cells_inside(_core.Frame(mind.shape[2::-1], **frame), frame_of(self.image))
        channels[~seen] = 0
        return FeatureVolume(data=channels, scale=1.0, weights=seen.astype(np.float32), **frame).quantized()


def open_task(pair: Pair, pose: sitk.Euler3DTransform, seed: int, threads: int) -> Task:
    """A rigid registration at 2 mm from a pose."""
    fixed = MindSource(pair.fixed, "fixed", pair.fixed_mask)
    moving = MindSource(pair.moving, "moving", pair.moving_mask)
    extend_beyond_masks(fixed, moving)
    features = fixed.fixed_features(SPACING, FIXED_STRIDE)
    matrix = np.asarray(pose.GetMatrix())
    offset = np.asarray(pose.TransformPoint((0.0, 0.0, 0.0)))
    search = _core.PoseSearch(features, "rigid", matrix, offset)
    return Task(
        fixed=fixed,
        moving=moving,
        kind="rigid",
        probe=None,
        seed=seed,
        spacing=SPACING,
        stride=FIXED_STRIDE,
        threads=threads,
        features=features,
        initial=first_pose(search),
    )


def register_local(pair: Pair, pose: sitk.Euler3DTransform, threads: int) -> RegistrationResult:
    task = open_task(pair, pose, 0, threads)
    return task.finish(task.refine_initial(), None)


def register_global(pair: Pair, pose: sitk.Euler3DTransform, starts: int, threads: int) -> RegistrationResult:
    """As many random starts as DISA, within 40 degrees an axis and 150 mm."""
    task = open_task(pair, pose, 0, threads)
    return task.finish(task.best_of(task.search(starts, 40.0, 150.0)), None)
