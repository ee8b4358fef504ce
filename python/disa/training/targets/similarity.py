"""What descriptors are trained to approximate: a protocol, LC² and normalised cross-correlation.

Another similarity is an object of your own that follows `Similarity`, named in the settings by its place in a module
that is installed or on PYTHONPATH: `similarity: package.module:object`.
"""

from __future__ import annotations

import importlib
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from disa.errors import ConfigError
from disa.training.targets.lc2 import MIN_VARIANCE, RADII, lc2_matrix
from disa.training.targets.patches import PatchSet, centred


@runtime_checkable
class Similarity(Protocol):
    """Patches in, scores out.

    Attributes:
        radius: half the side in voxels (2 mm) of the cubic patches that it gets, (2 radius + 1)^3 voxels.
        range: lowest and highest score, within [-1, 1], which is all that descriptors can reach. The loss counts
            equal parts of this range alike.
        reads_gradient: whether it reads `source.gradient`.
        sees_sign: whether a score changes where one side's intensities change sign. Training then leaves sign
            changes out of what it shows the network.
    """

    @property
    def radius(self) -> int: ...
    @property
    def range(self) -> tuple[float, float]: ...
    @property
    def reads_gradient(self) -> bool: ...
    @property
    def sees_sign(self) -> bool: ...

    def __call__(self, source: PatchSet, target: PatchSet) -> Tensor:
        """Scores of all pairs of patches. Training draws which image is the source, once a pair of crops.

        Args:
            source: n patches of each crop, intensity shape (batch, n, side, side, side), of volumes with zero mean
                and unit standard deviation; with gradient magnitude if `reads_gradient`.
            target: m patches likewise, without gradient.

        Returns:
            Shape (batch, n, m), float32, within `range`.
        """
        ...


class LC2:
    """How well a target patch is a linear combination of intensity, gradient magnitude and a constant of the source's.

    In [0, 1], mean over patches of radius 3, 5 and 7 voxels; see `disa.training.targets.lc2`.
    """

    radius = max(RADII)
    range = (0.0, 1.0)
    reads_gradient = True
    sees_sign = False

    def __call__(self, source: PatchSet, target: PatchSet) -> Tensor:
        return lc2_matrix(source, target)


class NCC:
    """Normalised cross-correlation, Pearson's correlation of the intensities of two patches, with its sign.

    In [-1, 1]: 1 for a patch and a bright copy, -1 for its negative, near 0 for unrelated ones. So it suits images
    of one modality. Variances below 0.01 count as 0.01, so that noise in empty patches is not compared.
    """

    radius = 7
    range = (-1.0, 1.0)
    reads_gradient = False
    sees_sign = True

    def __call__(self, source: PatchSet, target: PatchSet) -> Tensor:
        return self._unit(source) @ self._unit(target).transpose(1, 2)

    def _unit(self, patches: PatchSet) -> Tensor:
        values, _ = centred(patches.intensity, self.radius)
        floor = MIN_VARIANCE * values.shape[-1]
        return values * torch.rsqrt((values * values).sum(-1, keepdim=True).clamp_min(floor))


SIMILARITIES: dict[str, Similarity] = {"lc2": LC2(), "ncc": NCC()}


def find_similarity(name: str) -> Similarity:
    """The similarity of a name, "lc2" or "ncc", or of a place, "package.module:object".

    Raises:
        ConfigError: there is none, or what is there does not follow `Similarity`.
    """
    if name in SIMILARITIES:
        return SIMILARITIES[name]
    module, _, attribute = name.partition(":")
    if not attribute:
        raise ConfigError(
            f"similarity is {name}, expected {', '.join(SIMILARITIES)} or package.module:object of your own"
        )
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"similarity is {name}, which cannot be imported: {error}") from None
    if not isinstance(found, Similarity):
        raise ConfigError(f"similarity {name} does not follow disa.training.targets.similarity.Similarity")
    low, high = found.range
    if not -1 <= low < high <= 1:
        raise ConfigError(f"similarity {name} has the range {low} to {high}, expected one within -1 to 1")
    return found
