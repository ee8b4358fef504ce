# SPDX-License-Identifier: Apache-2.0
"""What is compared, each from a rigid pose to another. Settings stand in the module of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import intensity_registration
import mind_registration
import SimpleITK as sitk
from pairs import Pair

import disa
from disa.pose.options import SearchOptions
from disa.pose.result import RegistrationResult
from disa.pose.schedule import SCHEDULE


class Outcome(NamedTuple):
    """The pose and, where known, how often the metric was evaluated and how long the search alone took, seconds."""

    transform: sitk.Transform
    evaluations: int | None
    search_seconds: float | None = None


class Options(NamedTuple):
    """Of DISA's and MIND-SSC's runs.

    Attributes:
        model: name or path.
        starts: of a global search.
        threads: of a search; 0: all.
    """

    model: str
    starts: int
    threads: int


Method = Callable[[Pair, sitk.Euler3DTransform, Options], Outcome]


def _outcome(result: RegistrationResult) -> Outcome:
    return Outcome(result.transform, result.evaluations, result.times.get("search"))


def _given(pair: Pair, pose: sitk.Euler3DTransform) -> dict[str, Any]:
    """The images and the start, as DISA's doors take them."""
    return {
        "fixed": pair.fixed,
        "moving": pair.moving,
        "initial_transform": pose,
        "fixed_mask": pair.fixed_mask,
        "moving_mask": pair.moving_mask,
    }


def _asked(pair: Pair, pose: sitk.Euler3DTransform, options: Options) -> dict[str, Any]:
    """What both of DISA's doors are told."""
    return {**_given(pair, pose), "model": options.model, "threads": options.threads}


def disa_local(pair: Pair, pose: sitk.Euler3DTransform, options: Options) -> Outcome:
    return _outcome(disa.register(**_asked(pair, pose, options)))


def disa_global(fine_spacing: float | None) -> Method:
    def register(pair: Pair, pose: sitk.Euler3DTransform, options: Options) -> Outcome:
        asked = _asked(pair, pose, options)
        return _outcome(disa.global_register(**asked, starts=options.starts, fine_spacing=fine_spacing))

    return register


def disa_search(starts: int, samples: int) -> Method:
    """DISA's global search from so many starts and over so many fixed descriptors, 0 for all."""

    schedule = replace(SCHEDULE, searching=replace(SCHEDULE.searching, samples=samples))

    def register(pair: Pair, pose: sitk.Euler3DTransform, options: Options) -> Outcome:
        return _outcome(disa.global_register(**_asked(pair, pose, options), starts=starts, schedule=schedule))

    return register


def mind_local(pair: Pair, pose: sitk.Euler3DTransform, options: Options) -> Outcome:
    return _outcome(mind_registration.register_local(pair, pose, options.threads))


def mind_global(pair: Pair, pose: sitk.Euler3DTransform, options: Options) -> Outcome:
    asked = SearchOptions(starts=options.starts, threads=options.threads)
    return _outcome(mind_registration.register_global(pair, pose, asked))


def lc2_local(pair: Pair, pose: sitk.Euler3DTransform, options: Options) -> Outcome:
    import lc2_registration  # needs PyTorch and NLopt

    return Outcome(*lc2_registration.register(pair, pose))


def intensity(metric: str) -> Method:
    return lambda pair, pose, options: Outcome(*intensity_registration.register(pair, pose, metric))


def near(transform: str, options: Options) -> SearchOptions:
    """A search for a kind of transform among the starts that the paper has on RESECT."""
    return SearchOptions(
        transform=transform,
        model=options.model,
        starts=options.starts,
        rotation=10.0,
        translation=25.0,
        threads=options.threads,
    )


def disa_near(transform: str) -> Method:
    def register(pair: Pair, pose: sitk.Euler3DTransform, options: Options) -> Outcome:
        return _outcome(disa.global_register(**_given(pair, pose), options=near(transform, options)))

    return register


def mind_near(transform: str) -> Method:
    def register(pair: Pair, pose: sitk.Euler3DTransform, options: Options) -> Outcome:
        return _outcome(mind_registration.register_global(pair, pose, near(transform, options)))

    return register


STARTS = (10, 20, 50, 100, 200, 500, 1000, 2000)
SAMPLES = (128, 256, 512, 1024, 2048, 4096, 0)
STARTS_SWEEP = {f"{starts} starts": disa_search(starts, SCHEDULE.searching.samples) for starts in STARTS}
SAMPLES_SWEEP = {f"{samples or 'all'} points": disa_search(500, samples) for samples in SAMPLES}

METHODS: dict[str, Method] = {
    "DISA local": disa_local,
    "DISA global": disa_global(None),
    "DISA global, then 1 mm": disa_global(1.0),
    "MIND-SSC local": mind_local,
    "MIND-SSC global": mind_global,
    "LC2 local": lc2_local,
    "Mattes local": intensity("Mattes"),
    "correlation local": intensity("correlation"),
}

NEAR_METHODS: dict[str, Method] = {
    "DISA near, rigid": disa_near("rigid"),
    "DISA near, affine": disa_near("affine"),
    "MIND-SSC near, rigid": mind_near("rigid"),
    "MIND-SSC near, affine": mind_near("affine"),
}
"""Of the paper's Table 1; they run where they are named."""
