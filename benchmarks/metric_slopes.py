# SPDX-License-Identifier: Apache-2.0
"""How far the metric's analytic derivative lies from central differences of its value, for every transform.

    python benchmarks/metric_slopes.py [--poses 5]

Random smooth descriptors, 8 mm apart under 4.3 mm, axes turned against each other; steps move no point by more than
1e-6 mm, so that hardly any changes cell, where the blend has a kink. Each figure is the greatest of |analytic -
difference| / |difference| (norms over the parameters, 24 of them for fields and B-splines) among the poses: identity,
random ones that move points by some 5 mm, and random ones with half of the samples beyond the moving volume's border.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np

import itk
from disa.core import FeatureVolume

ImageType = itk.Image[itk.F, 3]
Metric = itk.DISAImageToImageMetricv4[ImageType, ImageType]
LINEAR = (
    "TranslationTransform",
    "Euler3DTransform",
    "CenteredEuler3DTransform",
    "VersorTransform",
    "VersorRigid3DTransform",
    "QuaternionRigidTransform",
    "Similarity3DTransform",
    "ScaleTransform",
    "ScaleLogarithmicTransform",
    "ScaleVersor3DTransform",
    "ScaleSkewVersor3DTransform",
    "ComposeScaleSkewVersor3DTransform",
    "AffineTransform",
    "CenteredAffineTransform",
    "ScalableAffineTransform",
    "FixedCenterOfRotationAffineTransform",
)
FIELDS = (
    "DisplacementFieldTransform",
    "GaussianSmoothingOnUpdateDisplacementFieldTransform",
    "BSplineSmoothingOnUpdateDisplacementFieldTransform",
)
CENTRE = np.array([52.0, 48.0, 44.0])
NODES, NODE_SPACING = 16, 7.1


def features(quantized: bool, seed: int, shape: tuple[int, int, int], spacing: float, direction: Any) -> FeatureVolume:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(*shape, 16))
    for axis in range(3):
        values = values + np.roll(values, 1, axis)
    scale = np.abs(values).max() / 127
    return FeatureVolume(
        data=np.rint(values / scale).astype(np.int8) if quantized else (values / scale).astype(np.float32),
        scale=0.01 if quantized else 1.0,
        weights=rng.uniform(0.1, 1.0, shape).astype(np.float32),
        origin=(0.0, 0.0, 0.0),
        spacing=(spacing,) * 3,
        direction=np.asarray(direction).ravel(),
    )


def box(like: FeatureVolume) -> Any:
    image = itk.image_from_array(np.zeros(like.weights.shape, np.float32))
    image.SetOrigin(like.origin)
    image.SetSpacing(like.spacing)
    image.SetDirection(itk.matrix_from_array(np.asarray(like.direction).reshape(3, 3)))
    return image


def transforms() -> Iterator[tuple[str, Any]]:
    for name in LINEAR:
        template = getattr(itk, name)
        sized = [key for key in template if key[-1] == 3]
        transform = (template[itk.D, 3] if sized else template[itk.D]).New()
        if hasattr(transform, "SetCenter"):
            transform.SetCenter(CENTRE.tolist())
        yield name, transform
    spline = itk.BSplineTransform[itk.D, 3, 3].New()
    spline.SetTransformDomainPhysicalDimensions([110.0] * 3)
    spline.SetTransformDomainMeshSize([4] * 3)
    yield "BSplineTransform", spline
    for name in FIELDS:
        transform = getattr(itk, name)[itk.D, 3].New()
        vectors = itk.Image[itk.Vector[itk.D, 3], 3].New()
        vectors.SetRegions([NODES] * 3)
        vectors.SetSpacing([NODE_SPACING] * 3)
        vectors.AllocateInitialized()
        transform.SetDisplacementField(vectors)
        yield name, transform


def set_parameters(transform: Any, values: Any) -> None:
    transform.SetParameters(itk.OptimizerParameters[itk.D](np.asarray(values, float).tolist()))


def arms(transform: Any, chosen: Any) -> Any:
    """Millimetres that a unit of each chosen parameter moves a point 40 mm from the centre by; 1 for nodes."""
    start = np.array(list(transform.GetParameters()))
    if start.size > 20:
        return np.ones(len(chosen))
    lengths = []
    for k in chosen:
        moved = []
        for step in (1e-4, 0.0):
            set_parameters(transform, start + step * np.eye(1, start.size, k)[0])
            moved.append(np.asarray(transform.TransformPoint((CENTRE + 40.0).tolist())))
        lengths.append(np.linalg.norm(moved[0] - moved[1]) / 1e-4)
    set_parameters(transform, start)
    return np.maximum(lengths, 1.0)


def deviation(metric: Any, transform: Any, chosen: Any) -> float:
    start = np.array(list(transform.GetParameters()))
    derivative = itk.Array[itk.D](len(start))
    metric.GetDerivative(derivative)
    expected = []
    for k, step in zip(chosen, 1e-6 / arms(transform, chosen), strict=True):
        values = []
        for sign in (1, -1):
            set_parameters(transform, start + sign * step * np.eye(1, start.size, k)[0])
            values.append(metric.GetValue())
        expected.append((values[1] - values[0]) / (2 * step))
    set_parameters(transform, start)
    found = np.array([derivative[int(k)] for k in chosen])
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def measure(poses: int) -> None:
    print("| transform | float: identity | random | across the border | int8: identity | random | across the border |")
    print("|---|---|---|---|---|---|---|")
    turn = itk.Euler3DTransform[itk.D].New()
    turn.SetRotation(0.09, -0.14, 0.05)
    direction = np.asarray(itk.array_from_matrix(turn.GetMatrix()))
    volumes = [
        (
            features(quantized, 1, (12, 13, 14), 8.0, np.eye(3)),
            features(quantized, 2, (26, 25, 24), 4.3, direction),
        )
        for quantized in (False, True)
    ]
    for name, transform in transforms():
        rng = np.random.default_rng(3)
        identity = np.array(list(transform.GetParameters()))
        cells = []
        for fixed, moving in volumes:
            beyond = FeatureVolume(
                data=moving.data,
                scale=moving.scale,
                weights=moving.weights,
                origin=(50.0, 0.0, 0.0),
                spacing=moving.spacing,
                direction=moving.direction,
            )
            for kind, other, count in (("identity", moving, 1), ("random", moving, poses), ("border", beyond, poses)):
                set_parameters(transform, identity)
                metric = Metric.New(FixedImage=box(fixed), MovingImage=box(other), MovingTransform=transform)
                metric.SetFixedFeatures(fixed)
                metric.SetMovingFeatures(other)
                if metric.HasLocalSupport():
                    domain = itk.image_from_array(np.zeros((NODES,) * 3, np.float32))
                    domain.SetSpacing([NODE_SPACING] * 3)
                    metric.SetVirtualDomainFromImage(domain)
                metric.Initialize()
                worst = 0.0
                for _ in range(count):
                    if kind != "identity":
                        change = rng.uniform(-5.0, 5.0, identity.size)
                        set_parameters(transform, identity + change / arms(transform, range(identity.size)))
                    derivative = itk.Array[itk.D](identity.size)
                    metric.GetDerivative(derivative)
                    felt = np.flatnonzero([derivative[i] for i in range(identity.size)])
                    chosen = rng.choice(felt, min(24, felt.size), replace=False)
                    worst = max(worst, deviation(metric, transform, chosen))
                cells.append(f"{worst:.0e}")
        set_parameters(transform, identity)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poses", type=int, default=5, help="random poses of each kind")
    measure(parser.parse_args().poses)


if __name__ == "__main__":
    main()
