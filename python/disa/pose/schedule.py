# SPDX-License-Identifier: Apache-2.0
"""Every number that the search for a pose goes by, named; a caller or a benchmark may pass another schedule."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How an optimisation is done.

    Attributes:
        samples: fixed descriptors that are drawn; 0: all.
        tolerance: mm; a shorter step of BFGS ends it.
        iterations: of BFGS, at most.
    """

    samples: int
    tolerance: float
    iterations: int


@dataclass(frozen=True)
class MovingGrid:
    """Of moving descriptors.

    Attributes:
        ratio: size of their voxels by that of the fixed ones; it keeps grids from locking.
        stride: voxels between them.
    """

    ratio: float
    stride: int


@dataclass(frozen=True)
class Draw:
    """Poses that are drawn about one, uniformly.

    Attributes:
        count: the first of them is the pose itself.
        rotation: degrees about each axis, either way.
        translation: mm along each axis, either way.
    """

    count: int
    rotation: float
    translation: float


@dataclass(frozen=True)
class Contenders:
    """Which of some poses may turn out best once refined.

    Attributes:
        count: at most so many,
        share: and those only whose value is this share of the best one's or more.
    """

    count: int
    share: float


@dataclass(frozen=True)
class Schedule:
    """From coarse to fine. Widths are of the kernel over the moving descriptors.

    Attributes:
        sparse: moving descriptors to search with.
        dense: moving descriptors to refine with.
        widest: width where a search begins, fixed voxels.
        ending: widths of the steps that follow, fixed voxels, for rigid poses.
        contained: share of an image's weight inside of the other from which it counts as contained in it. Where neither
            is, each sample that comes or goes pulls the pose towards more overlap, so the last steps keep to those
            samples that lie well inside.
        inset: cells of the other image within which its border is near to a sample.
        least_inside: share of the samples' weight that is left; where it is less all samples stay.
        agreed: share of its value that a pose must keep through the last steps.
        last_rounds: how often samples are chosen anew.
        at_rest: mm; a step below ends the last rounds.
        freed_ending: those of the steps for poses that may shrink, as they do over smooth descriptors.
        searching: effort for each start of a search.
        exploring: effort for poses about one.
        refining: effort for the poses that are kept.
        explored: poses about a refined one that are tried over its descriptors: sharper than the search's, these tell
            optima apart that are one to it.
        sharply_explored: poses about one that has settled, that are tried over its unsmoothed descriptors: these see a
            turn about a limb's axis that smoother ones do not.
        survivors: ends of the search that go on to sharper descriptors. Under the widest kernel a right pose that loses
            overlap, at the border or at a mask, is hardly better than wrong ones that lose none; under the narrower
            ones it is.
        kept: optima that are kept.
        distinct: mm between two poses that count as different, mean over the fixed image's corners; within one
            optimisation, over points at the root mean square distance of what is compared from its centre.
        apart: mm, likewise, from which one is a rival of another.
        resolution: values that differ by less do not say which of two poses is right.
        certainty: standard deviations of a gain in value from which it is not by chance.
        gain: of value, from which a turn is followed.
        turned: degrees of turn between descriptors from which they tell little.
        far_turned: degrees from which the moving image's own axes alone will not do.
        rivals: ends of a search that are tried over descriptors of their own where they are turned.
        contenders: optima that are refined.
        finalists: of what these refinements find, those refined once more where they have left their descriptors.
        reorientation: degrees of turn after which the moving descriptors are extracted anew.
        drifting: degrees after which a pose looks about itself over the new descriptors, too.
        rounds: how often at most.
        reach: voxels about what is compared within which moving descriptors are extracted once a pose is about known.
    """

    sparse: MovingGrid = MovingGrid(5**0.5 / 2, 4)
    dense: MovingGrid = MovingGrid(2 / 5**0.5, 2)
    widest: float = 12.0
    ending: tuple[float, ...] = (6.0, 3.0)
    contained: float = 0.93
    inset: int = 2
    least_inside: float = 0.02
    agreed: float = 0.9
    last_rounds: int = 4
    at_rest: float = 0.2
    freed_ending: tuple[float, ...] = (3.0, 0.0)
    searching: Effort = Effort(512, 0.5, 30)
    exploring: Effort = Effort(1024, 0.3, 40)
    refining: Effort = Effort(0, 0.01, 100)
    explored: Draw = Draw(100, 30.0, 30.0)
    sharply_explored: Draw = Draw(200, 30.0, 30.0)
    survivors: int = 32
    kept: int = 8
    distinct: float = 8.0
    apart: float = 15.0
    resolution: float = 0.008
    certainty: float = 1.5
    gain: float = 0.004
    turned: float = 20.0
    far_turned: float = 30.0
    rivals: Contenders = Contenders(8, 0.75)
    contenders: Contenders = Contenders(4, 0.85)
    finalists: Contenders = Contenders(2, 0.95)
    reorientation: float = 1.0
    drifting: float = 5.0
    rounds: int = 5
    reach: float = 10.0


SCHEDULE = Schedule()
"""What `disa.register` and `disa.global_register` go by; the figures behind it are in benchmarks/README.md."""
