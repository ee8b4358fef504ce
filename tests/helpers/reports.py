# SPDX-License-Identifier: Apache-2.0
"""What a report is made of, without a registration."""

from __future__ import annotations

from typing import Any

import SimpleITK as sitk

from disa.pose.confidence import Evidence
from disa.pose.result import Optimum, RegistrationResult
from disa.report.display import Pair
from disa.report.findings import findings
from disa.report.provenance import provenance

GOOD = Evidence(value=-0.2, overlaps=(0.9, 0.8), contrast=5.0, rival=0.0)
BAD = Evidence(value=-0.03, overlaps=(0.3, 0.1), contrast=2.5, rival=0.98)


def result(evidence: Evidence = GOOD) -> RegistrationResult:
    """Of a rigid registration with a rival."""
    transform = sitk.Euler3DTransform((30.0, 30.0, 30.0), 0.1, 0.0, 0.05, (4.0, 0.0, 2.0))
    optima = (Optimum(transform, -0.3), Optimum(sitk.Euler3DTransform(), -0.1))
    trace = ((-0.1, -0.3, -0.35), (-0.4, -0.41))
    return RegistrationResult(
        transform, -0.4, 0.9, optima, 100, {"search": 0.5}, trace=trace, evidence=evidence, search_value=-0.29
    )


def record(pair: Pair, evidence: Evidence = GOOD) -> dict[str, Any]:
    """What result.json would hold."""
    found = {
        "inputs": {"fixed": "a/fixed.nii", "moving": "b/<moving>.nii", "fixed_mask": "a/mask.nii"},
        **provenance("disa register a/fixed.nii 'b/<moving>.nii' -o out", pair.fixed, pair.moving),
        **findings(result(evidence), None, pair),
        "settings": {"transform": "rigid", "search": "global", "deformable": False, "fine_spacing_mm": None},
        "sha256": {"inputs": {"fixed": "f1" * 32, "moving": "a2" * 32, "fixed_mask": "c3" * 32}},
    }
    found["seconds"]["total"] = 1.5
    return found
