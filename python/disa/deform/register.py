# SPDX-License-Identifier: Apache-2.0
"""Deformable registration in one call: an explicit search over displacements, then descent on a displacement field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from disa.checking import changed
from disa.core import _core
from disa.deform.constraints import Constraints, OpenedConstraints, open_constraints
from disa.deform.descent import descend
from disa.deform.fields import corner_determinants, sample, to_transform
from disa.deform.flow import flow_near
from disa.deform.options import DeformOptions, DeformSettings
from disa.deform.result import DeformableResult
from disa.deform.schedule import DEFORM_SCHEDULE, DeformSchedule
from disa.deform.search import search
from disa.deform.workspace import DeformWorkspace
from disa.features.mask_place import check_mask_place
from disa.features.side import ImageSide, extended_beyond_masks, open_image_side
from disa.features.weights import overlap, weighted_by
from disa.geometry.linear import check_transform
from disa.io.images import ImageLike, load_weights
from disa.timing import StageTimes

if TYPE_CHECKING:
    from typing_extensions import Unpack

PERCENTILES = (0, 1, 50, 99, 100)
"""Of the Jacobian determinants that a result names."""


def deformable_register(
    fixed: ImageLike,
    moving: ImageLike,
    *,
    initial_transform: sitk.Transform | None = None,
    fixed_mask: ImageLike | None = None,
    moving_mask: ImageLike | None = None,
    fixed_weights: ImageLike | None = None,
    constraints: Constraints | None = None,
    options: DeformOptions | None = None,
    schedule: DeformSchedule = DEFORM_SCHEDULE,
    **settings: Unpack[DeformSettings],
) -> DeformableResult:
    """Register two images that a rigid transform does not bring together.

    Displacements of control points 4 voxels (8 mm) apart are searched for explicitly, in steps of as much, or of half
    as much with descriptors of stride 2 or 1, and smoothed under an increasing weight. The moving image is then seen
    through that field, and ITK's gradient descent lowers the metric over a further displacement field, with Gaussian
    smoothing of its steps and of itself. The result does not depend on `threads`. No cost is kept: a search holds 64
    bytes for each step of the volume, twice that while it is set up.

    Args:
        fixed: SimpleITK image, ITK image, or path.
        moving: the same.
        initial_transform: from fixed to moving points, linear or not; None: the images share their world space.
        fixed_mask: image or path; only descriptors where it is not 0 are compared. If all beyond it is of one value, as
            beyond an ultrasound sector, and the moving image does not end at a mask of its own, the network sees the
            image continued there.
        moving_mask: image or path; descriptors where it is 0 count as outside of the moving image. Likewise.
        fixed_weights: image or path, 0 or more, read linearly between voxels; how much each place of the fixed image is
            to count, keypoints for example, on top of its local deviation. 0 outside of it.
        constraints: parts that stay rigid, and landmarks; None: there are none.
        options: how far and how; None: `DeformOptions()`.
        schedule: kernels, couplings and steps of both stages.
        settings: fields of `DeformOptions` by name, in place of those of `options`: `stride=4, fold_free=True`.

    Raises:
        ImageError: an image, mask or spacing cannot be used.
        ModelError: the model or ONNX Runtime is missing or does not fit.
        RegistrationError: an option or a constraint cannot be used, nothing overlaps, a mask leaves nothing, or memory
            would not do.
        TypeError: there is no option of that name.

    Source: DISA paper, section 4.2; Heinrich et al., Non-parametric discrete registration with convex optimisation,
    WBIR 2014.
    """
    chosen = changed(options or DeformOptions(), settings, "deformable_register")
    times = StageTimes()
    with times.timed("fixed descriptors"):
        sides = (
            open_image_side(fixed, "fixed", fixed_mask, chosen.network),
            open_image_side(moving, "moving", moving_mask, chosen.network),
        )
    if initial_transform is not None:
        check_transform(initial_transform, "initial_transform")
    known = open_constraints(constraints, initial_transform)
    weights = None if fixed_weights is None else load_weights(fixed_weights, "fixed_weights")
    if weights is not None:
        check_mask_place(weights, sides[0].grid, "fixed_weights", "fixed image")
    if known.parts is not None:
        role = "moving" if known.parts.of_moving else "fixed"
        check_mask_place(known.parts.labels, sides[known.parts.of_moving].grid, f"{role}_rigid_parts", f"{role} image")
    work = open_workspace(sides, initial_transform, chosen, schedule, weights=weights, constraints=known, times=times)
    return deform(work)


def open_workspace(
    sides: tuple[ImageSide, ImageSide],
    initial: sitk.Transform | None,
    options: DeformOptions,
    schedule: DeformSchedule = DEFORM_SCHEDULE,
    *,
    weights: sitk.Image | None = None,
    constraints: OpenedConstraints | None = None,
    times: StageTimes | None = None,
) -> DeformWorkspace:
    """Extract the fixed descriptors of two sides, described by whatever they say.

    Args:
        sides: fixed and moving.
        initial: from fixed to moving points; None: they share their space.
        options: what was asked for.
        schedule: how it is done.
        weights: how much each place of the fixed image counts; None: all alike.
        constraints: what is known beforehand; None: nothing.
        times: seconds that went before.
    """
    times = StageTimes() if times is None else times
    voxel = options.spacing or _spacing_of(*sides)
    options.check(schedule, voxel)
    with times.timed("fixed descriptors"):
        fixed, moving = extended_beyond_masks(*sides)
        features = fixed.features(voxel, options.stride)
        if weights is not None:
            features = weighted_by(features, weights)
    known = constraints or OpenedConstraints()
    return DeformWorkspace(fixed, moving, initial, options, schedule, voxel, features, known, times=times)


def _spacing_of(fixed: ImageSide, moving: ImageSide) -> float:
    """mm between the voxels that the network sees, where nobody says. Masks do not count: a field is everywhere."""
    shown = min(fixed.shown_volume, moving.shown_volume)
    return _core.automatic_voxel_spacing(fixed.grid, moving.grid, shown)


def deform(work: DeformWorkspace) -> DeformableResult:
    """Both stages, and all that is known of the result."""
    options = work.options
    step = max(options.stride, work.schedule.control_stride // 2)
    work.constrain()
    search(work, step, options.radius, both_ways=options.inverse_consistent)
    if not work.extracts_once:
        work.constrain()
    descend(work)
    work.constrain()
    with work.times.timed("composition"):
        nodes, displacements = work.nodes, sample(sitk.CompositeTransform(work.parts), work.nodes)
        inverse = None
        if options.fold_free:
            flow = flow_near(displacements, nodes)
            nodes, displacements = flow.nodes, flow.forward
            inverse = _inverse(to_transform(flow.backward, nodes, 1), work.initial)
        determinants = corner_determinants(displacements, nodes.step)
        found = to_transform(displacements, nodes, 1)
        transform = found if work.initial is None else sitk.CompositeTransform([work.initial, found])
        inside = overlap(work.samples, work.moving.inside, transform)
    disagreement = np.broadcast_to(np.float32(work.disagreement), work.nodes.shape)
    return DeformableResult(
        transform=transform,
        value=work.trace[-1],
        overlap=inside,
        optima=(),
        evaluations=work.evaluations,
        voxel_spacing=work.voxel,
        times=dict(work.times),
        trace=(tuple(work.trace),),
        displacement_field=found,
        least_jacobian=float(determinants.min()),
        jacobian_percentiles=dict(zip(PERCENTILES, np.percentile(determinants, PERCENTILES).tolist(), strict=True)),
        folds=float((determinants <= 0).any(axis=-1).mean()),
        inverse_transform=inverse,
        jacobian_map=nodes.between.image_of(determinants.mean(axis=-1).astype(np.float32)),
        disagreement_map=work.nodes.image_of(np.ascontiguousarray(disagreement)),
    )


def _inverse(field: sitk.Transform, initial: sitk.Transform | None) -> sitk.Transform | None:
    """From moving to fixed points; None where the initial transform has no inverse of its own."""
    if initial is None:
        return field
    try:
        return sitk.CompositeTransform([field, initial.GetInverse()])
    except RuntimeError:  # a B-spline or a field without its inverse
        return None
