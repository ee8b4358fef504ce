# SPDX-License-Identifier: Apache-2.0
"""What both stages of a deformable registration share: the sides, the control points, the field found so far."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume
from disa.deform.constraints import OpenedConstraints
from disa.deform.fields import sample, to_transform
from disa.deform.options import DeformOptions
from disa.deform.schedule import DeformSchedule
from disa.errors import RegistrationError
from disa.features.network_grid import covering_grid
from disa.features.side import ImageSide
from disa.features.volumes import thinned
from disa.geometry.grid import Grid
from disa.timing import StageTimes

FloatArray = npt.NDArray[np.float64]


@dataclass
class DeformWorkspace:
    """A registration under way: the field found so far is the composition of `parts`, the last one applied first.

    Attributes:
        fixed, moving: its sides.
        initial: from fixed to moving points, applied after the field; None: the images share their space.
        options: what was asked for.
        schedule: how it is done.
        voxel: voxel spacing, mm.
        features: fixed descriptors.
        constraints: what was known beforehand.
        parts: fields found so far.
        seen: moving descriptors under the initial transform that serve both stages, where there are such.
        backward: the search's field from moving to fixed, where there is one.
        disagreement: mm by which the two directions miss each other in all stages so far, shape (z, y, x).
        trace: values of the descent.
        evaluations: iterations of the descent, both ways.
        times: seconds by stage so far.
    """

    fixed: ImageSide
    moving: ImageSide
    initial: sitk.Transform | None
    options: DeformOptions
    schedule: DeformSchedule
    voxel: float
    features: FeatureVolume
    constraints: OpenedConstraints = field(default_factory=OpenedConstraints)
    parts: list[sitk.DisplacementFieldTransform] = field(default_factory=list)
    seen: FeatureVolume | None = None
    backward: sitk.DisplacementFieldTransform | None = None
    disagreement: FloatArray | float = 0.0
    trace: list[float] = field(default_factory=list)
    evaluations: int = 0
    times: StageTimes = field(default_factory=StageTimes)

    @property
    def extracts_once(self) -> bool:
        """Whether the moving image goes through the network once only, which is faster and less accurate."""
        return self.options.stride == self.schedule.control_stride

    @functools.cached_property
    def grid(self) -> Grid:
        """Voxels for the network about the fixed image, the margin included."""
        return covering_grid(self.fixed.grid, self.voxel, name=self.fixed.name)

    @functools.cached_property
    def samples(self) -> FeatureVolume:
        """The fixed descriptors at the control points, which are among those of every stride."""
        return thinned(self.features, self.schedule.control_stride // self.options.stride)

    @functools.cached_property
    def nodes(self) -> Grid:
        """Where the control points and the nodes of the field lie."""
        return Grid.of(self.samples)

    @property
    def transform(self) -> sitk.Transform:
        """From fixed to moving points, as found so far."""
        parts = [*([] if self.initial is None else [self.initial]), *self.parts]
        return sitk.CompositeTransform(parts) if parts else sitk.Transform(3, sitk.sitkIdentity)

    @property
    def largest_displacement(self) -> float:
        """mm along an axis of the nodes, of the fields found so far."""
        return float(sum(np.abs(sample(part, self.nodes)).max() for part in self.parts))

    def warped(self, grid: Grid, stride: int, *, weighted: bool) -> FeatureVolume:
        """Moving descriptors as the field found so far shows them. Raises RegistrationError where there are none."""
        features = self.moving.warped_features(grid, stride, self.transform, voxel=self.voxel, weighted=weighted)
        if not features.weights.any():
            raise no_overlap()
        return features

    def add(self, displacements: FloatArray) -> None:
        """Let a field at the nodes, mm along their axes, come before those found so far."""
        self.parts.append(to_transform(displacements, self.nodes, self.schedule.padding))

    def constrain(self) -> None:
        """Make one field of those found so far, and let landmarks and rigid parts change it."""
        given, nodes = self.constraints, self.nodes
        if given.landmarks is None and given.parts is None:
            return
        displacements = (
            sample(sitk.CompositeTransform(self.parts), nodes) if self.parts else np.zeros((*nodes.shape, 3))
        )
        if given.landmarks is not None:
            found = to_transform(displacements, nodes, self.schedule.padding)
            moved = np.asarray([found.TransformPoint(point) for point in given.landmarks.points.tolist()])
            displacements = displacements + given.landmarks.pull(moved, nodes, self.schedule)
        self.parts = []
        self.add(displacements)
        if given.parts is not None:
            held = given.parts.held(displacements, nodes, self.transform, given.landmarks, self.schedule)
            self.parts = []
            self.add(held)

    def middle(self, forward: FloatArray, backward: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Two fields that are each other's inverse, found from a pair by halving what is left.

        Source: Heinrich et al., WBIR 2014, section 2.4.
        """
        for iteration in range(self.schedule.consistency_iterations):
            there, back = (to_transform(field, self.nodes, self.schedule.padding) for field in (forward, backward))
            leftover = sample(sitk.CompositeTransform([back, there]), self.nodes)
            if iteration == 0:
                self.disagreement = self.disagreement + np.linalg.norm(leftover, axis=-1)
            backward = backward - 0.5 * sample(sitk.CompositeTransform([there, back]), self.nodes)
            forward = forward - 0.5 * leftover
        return forward, backward


def no_overlap() -> RegistrationError:
    return RegistrationError(
        "fixed and moving do not overlap under the initial transform; give an initial_transform, such as "
        "disa.global_register's, that brings them together"
    )
