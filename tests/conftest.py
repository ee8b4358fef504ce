from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from disa.core import FeatureVolume


def structured_image(
    size: tuple[int, int, int] = (48, 44, 40), spacing: float = 2.0, seed: int = 0, direction: Any = None
) -> sitk.Image:
    """Smooth random blobs with edges, of (x, y, z) size."""
    rng = np.random.default_rng(seed)
    noise = sitk.GetImageFromArray(rng.normal(size=size[::-1]).astype(np.float32))
    blobs = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 3.0))
    pixels = np.where(blobs > 0.5 * blobs.std(), 400.0, 0.0) + 300.0 * blobs / blobs.std()
    image = sitk.GetImageFromArray(pixels.astype(np.float32))
    image.SetSpacing((spacing,) * 3)
    image.SetOrigin((-31.0, 17.5, 5.25))
    if direction is not None:
        image.SetDirection(direction)
    return image


def rotation(*degrees: float) -> np.ndarray:
    """(3, 3) matrix of an Euler rotation."""
    angles = np.deg2rad(degrees).tolist()
    return np.asarray(sitk.Euler3DTransform((0.0, 0.0, 0.0), *angles).GetMatrix()).reshape(3, 3)


@pytest.fixture(scope="session")
def image() -> sitk.Image:
    return structured_image()


@pytest.fixture(scope="session")
def oblique_image() -> sitk.Image:
    return structured_image(seed=1, direction=rotation(20, -10, 30).ravel().tolist())


@pytest.fixture(scope="session")
def make_features() -> Callable[..., FeatureVolume]:
    """Smooth random descriptors of norm 1 or less, int8 or float32."""

    def make(
        shape: Sequence[int] = (12, 13, 14),
        *,
        quantized: bool = True,
        seed: int = 0,
        spacing: float = 8.0,
        origin: Sequence[float] = (3.0, -20.0, 11.0),
        direction: np.ndarray | None = None,
        network: str | None = None,
    ) -> FeatureVolume:
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(*shape, 16))
        for axis in range(3):
            values = values + np.roll(values, 1, axis)
        values /= np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1.0)
        weights = rng.uniform(0.1, 1.0, shape).astype(np.float32)
        scale = float(np.abs(values).max()) / 127
        data = np.rint(values / scale).astype(np.int8) if quantized else values.astype(np.float32)
        return FeatureVolume(
            data=data,
            scale=scale if quantized else 1.0,
            weights=weights,
            origin=origin,
            spacing=(spacing,) * 3,
            direction=(np.eye(3) if direction is None else direction).ravel(),
            network=network,
        )

    return make
