# SPDX-License-Identifier: Apache-2.0
"""The second stage: ITK's gradient descent on a displacement field that is added to the one found so far."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume
from disa.deform.fields import sample, to_transform
from disa.deform.workspace import DeformWorkspace
from disa.doors.simpleitk.method import ImageRegistrationMethod
from disa.features.network_grid import rescaled
from disa.features.volumes import evened, smooth_within, thinned

FloatArray = npt.NDArray[np.float64]


def descend(work: DeformWorkspace) -> None:
    """Lower the metric over a displacement field, both ways if the options say so."""
    schedule, options = work.schedule, work.options
    start: sitk.DisplacementFieldTransform | None = None
    if work.seen is not None:
        moving, start = work.seen, work.parts.pop()
    else:
        with work.times.timed("moving descriptors"):
            grid = rescaled(work.grid, schedule.fine_ratio)
            moving = work.warped(grid, schedule.fine_stride, weighted=options.inverse_consistent)
    with work.times.timed("refinement"):
        found, work.trace = _run(work, work.samples, moving, start)
        work.evaluations = len(work.trace)
        if options.inverse_consistent:
            every = max(1, schedule.control_stride // schedule.fine_stride)
            cells = thinned(moving, every) if start is None else moving
            dense = thinned(work.features, max(1, schedule.fine_stride // options.stride))
            back, trace = _run(work, cells, dense, None if start is None else work.backward)
            work.evaluations += len(trace)
            found, _ = work.middle(found, back)
        work.add(found)


def _run(
    work: DeformWorkspace,
    fixed: FeatureVolume,
    moving: FeatureVolume,
    start: sitk.DisplacementFieldTransform | None,
) -> tuple[FloatArray, list[float]]:
    """Displacements at the nodes that gradient descent finds from some, or none, and its values."""
    schedule, nodes = work.schedule, work.nodes
    trace: list[float] = []
    displacement = to_transform(np.zeros((*nodes.shape, 3)), nodes)
    displacement.SetSmoothingGaussianOnUpdate(schedule.update_variance, schedule.total_variance)
    method = ImageRegistrationMethod()
    method.SetMetricAsDISA(smoothing=0.0)
    method.SetMetricFixedFeatures(evened(fixed))
    method.SetMetricMovingFeatures(evened(smooth_within(moving, schedule.fine_smoothing * work.voxel)))
    method.SetOptimizerAsGradientDescent(
        learningRate=1.0,
        numberOfIterations=schedule.fine_iterations,
        estimateLearningRate=method.EachIteration,
        maximumStepSizeInPhysicalUnits=schedule.fine_step,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetVirtualDomain(nodes.size, nodes.origin.tolist(), nodes.spacing.tolist(), nodes.direction.ravel().tolist())
    if start is not None:
        method.SetMovingInitialTransform(start)  # type: ignore[no-untyped-call]
    method.SetInitialTransform(displacement, inPlace=True)
    method.AddCommand(sitk.sitkIterationEvent, lambda: trace.append(method.GetMetricValue()))
    method.Execute(work.fixed.image, work.fixed.image)
    found = displacement if start is None else sitk.CompositeTransform([start, displacement])
    return sample(found, nodes), trace
