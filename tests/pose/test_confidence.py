# SPDX-License-Identifier: Apache-2.0
"""How likely a pose is right, by evidence and of registrations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from disa.pose.confidence import COEFFICIENTS, TYPICAL, Evidence, confidence, measures, weakest
from disa.pose.result import RegistrationResult
from helpers.displaced import displaced_images, error_of
from helpers.images import structured_image

GOOD = Evidence(value=-0.2, overlaps=(0.9, 0.8), contrast=5.0, rival=0.0)
BAD = Evidence(value=-0.03, overlaps=(0.3, 0.1), contrast=2.5, rival=0.98)


def result_of(evidence: Evidence | None) -> RegistrationResult:
    return RegistrationResult(sitk.Euler3DTransform(), -0.1, 0.4, (), 1, {}, evidence=evidence)


def test_good_evidence_is_believed_and_bad_evidence_is_not() -> None:
    assert confidence(GOOD) > 0.9
    assert confidence(BAD) < 0.1


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("value", np.linspace(-0.02, -0.4, 20)),
        ("contrast", np.linspace(1.0, 7.0, 20)),
        ("rival", np.linspace(1.0, 0.0, 20)),
    ],
)
@pytest.mark.parametrize("start", [GOOD, BAD])
def test_better_evidence_is_never_believed_less(name: str, better: np.ndarray, start: Evidence) -> None:
    found = [confidence(replace(start, **{name: value})) for value in better.tolist()]
    assert found == sorted(found)


def test_it_is_a_probability_whatever_the_evidence() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        value, contrast, rival = rng.normal(scale=[1, 1e3, 10]).tolist()
        assert 0 <= confidence(Evidence(value, (rng.uniform(), rng.uniform()), contrast, rival)) <= 1
    assert 0 <= confidence(Evidence(0.0, (0.0, 0.0), 0.0, 0.0)) < 0.5


def test_every_coefficient_weighs_a_measure() -> None:
    assert set(COEFFICIENTS) == set(TYPICAL) <= set(measures(GOOD))


def test_a_doubt_is_there_exactly_below_one_half() -> None:
    for share in np.linspace(0, 1, 30).tolist():
        value, contrast, rival = (
            (1 - share) * getattr(GOOD, name) + share * getattr(BAD, name) for name in ("value", "contrast", "rival")
        )
        mixed = Evidence(value, (0.8, 0.5), contrast, rival)
        result = result_of(mixed)
        assert result.confidence is not None
        assert bool(result.doubts) == (result.confidence < 0.5)


def test_a_doubt_says_how_likely_and_why() -> None:
    (doubt,) = result_of(BAD).doubts
    assert f"{100 * confidence(BAD):.0f} %" in doubt and doubt.count(".") >= 2
    assert f"{100 * confidence(BAD):.0f} %" in result_of(BAD)._repr_html_()


@pytest.mark.parametrize("name", sorted(COEFFICIENTS))
def test_each_reason_has_words(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("disa.pose.result.weakest", lambda evidence: name)
    assert len(result_of(BAD).doubts[0]) > 60


def test_the_rival_is_blamed_where_nothing_else_is_wrong() -> None:
    assert weakest(replace(GOOD, rival=1.0)) == "rival"


def test_little_overlap_is_mentioned_but_alone_is_no_doubt() -> None:
    assert "Only 40 %" in result_of(BAD).doubts[0]
    assert result_of(replace(GOOD, overlaps=(0.4, 0.95))).doubts == []


def test_without_evidence_there_is_no_confidence() -> None:
    assert result_of(None).confidence is None and result_of(None).doubts == []
    assert "confidence" not in result_of(None)._rows()


def test_a_right_registration_is_believed() -> None:
    fixed, moving, centre = displaced_images()
    result = disa.register(fixed, moving)
    assert error_of(result.transform, centre) < 2
    assert result.confidence is not None and result.confidence > 0.5
    assert result.doubts == []


@pytest.mark.parametrize("seed", [11, 12])
def test_unrelated_noise_is_not(seed: int) -> None:
    fixed, moving, _ = displaced_images()
    del moving
    result = disa.register(fixed, structured_image((56, 52, 48), seed=seed))
    assert result.confidence is not None and result.confidence < 0.5
    assert len(result.doubts) == 1
