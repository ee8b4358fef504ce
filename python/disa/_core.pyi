# SPDX-License-Identifier: Apache-2.0
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from disa.geometry.grid import Grid

__version__: str
engine_needs_itk: bool
"""Whether `disa._engine` is linked to the itk wheel, or has an ITK of its own."""

class FeatureVolume:
    def __init__(
        self,
        *,
        data: npt.NDArray[np.int8] | npt.NDArray[np.float32],
        scale: float,
        weights: npt.NDArray[np.float32],
        origin: Sequence[float] | npt.NDArray[np.floating[Any]],
        spacing: Sequence[float] | npt.NDArray[np.floating[Any]],
        direction: Sequence[float] | npt.NDArray[np.floating[Any]],
        network: str | None = None,
    ) -> None: ...
    @property
    def data(self) -> npt.NDArray[Any]: ...
    @property
    def weights(self) -> npt.NDArray[np.float32]: ...
    @property
    def scale(self) -> float: ...
    @property
    def origin(self) -> tuple[float, float, float]: ...
    @property
    def spacing(self) -> tuple[float, float, float]: ...
    @property
    def direction(self) -> tuple[float, ...]: ...
    @property
    def network(self) -> str | None: ...
    def replaced(
        self,
        *,
        data: npt.NDArray[np.int8] | npt.NDArray[np.float32] | None = None,
        weights: npt.NDArray[np.float32] | None = None,
        origin: Sequence[float] | npt.NDArray[np.floating[Any]] | None = None,
    ) -> FeatureVolume: ...
    def quantized(self) -> FeatureVolume: ...
    def save(self, path: str | os.PathLike[str]) -> None: ...
    @staticmethod
    def load(path: str | os.PathLike[str]) -> FeatureVolume: ...

def check_comparable(fixed: FeatureVolume, moving: FeatureVolume) -> None: ...
def kernel() -> str: ...
def kernels() -> list[str]: ...
def evaluate_kernel(
    name: str,
    cells: npt.NDArray[np.int8],
    descriptors: npt.NDArray[np.int8],
    index: npt.NDArray[np.float64],
) -> tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64]]: ...
def cells_inside(cells: Grid, image: Grid) -> npt.NDArray[np.bool_]: ...
def nearest_rotation(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The orthogonal matrix nearest to an invertible one, both (3, 3)."""

def angle_between(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Degrees of the rotation from one (3, 3) orthogonal matrix to another; 180 if one mirrors."""

def automatic_voxel_spacing(fixed: Grid, moving: Grid, shown: float = ...) -> float:
    """Voxel spacing in mm where nobody says: 2, or 1 if an image has less than a litre to compare."""

def lattice(image: Grid) -> Grid:
    """Every so many voxels, at most 64 along each axis."""

def mask_volume(image: Grid, inside: int) -> float:
    """mm^3 of a grid within a mask that holds so many of the lattice's points."""

def mean_distance(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Mean distance in mm between corresponding points, both (n, 3)."""

def distinct(
    places: Sequence[npt.NDArray[np.float64]], values: Sequence[float], distance: float, keep: int
) -> list[int]:
    """Which candidates are kept, the best first: each lies further than a distance from every better one.

    Args:
        places: where each takes the same points, (n, 3), mm.
        values: of each, the lower the better.
        distance: mm, mean over the points.
        keep: candidates at most.
    """

class ProbePressure:
    def __init__(
        self, contact: Sequence[float], axis: Sequence[float] | npt.NDArray[np.float64], depth: float
    ) -> None: ...
    def shift(self, points: npt.NDArray[np.float64], p1: float, p2: float) -> npt.NDArray[np.float64]:
        """By what a push displaces points, both of shape (n, 3), mm."""

class StageSettings:
    """How a stage of a search optimises; see `disa.pose.schedule.Effort`."""

    def __init__(
        self,
        *,
        samples: int,
        tolerance: float,
        iterations: int,
        keep: int,
        distinct: float,
        seed: int = 0,
        threads: int = 0,
    ) -> None: ...

class Pose:
    @property
    def parameters(self) -> list[float]: ...
    @property
    def value(self) -> float: ...
    @property
    def trace(self) -> list[float]: ...

class StageResult:
    @property
    def poses(self) -> list[Pose]: ...
    @property
    def evaluations(self) -> int: ...
    @property
    def overlapping_starts(self) -> int: ...

class Term:
    """One direction of the metric: weighted samples of one image, read in the other.

    `share` is that of the sampled image's weight that the samples hold.
    """

    def __init__(self, samples: FeatureVolume, field: FeatureVolume, share: float = 1.0) -> None: ...
    @property
    def samples(self) -> FeatureVolume: ...
    @property
    def field(self) -> FeatureVolume: ...

def sample_cells(weights: Sequence[float], count: int, seed: int = 0) -> tuple[list[int], list[float]]:
    """Numbers of cells drawn in proportion to their weight, and the weights that they stand for."""

def extent_of(features: FeatureVolume) -> tuple[list[float], float]:
    """Weighted centre and root mean square distance from it, mm."""

class PoseSearch:
    """Poses about a point, by parameters that are all mm."""

    def __init__(
        self,
        kind: str,
        matrix: Sequence[float] | npt.NDArray[np.float64],
        offset: Sequence[float] | npt.NDArray[np.float64],
        centre: Sequence[float] | npt.NDArray[np.float64],
        radius: float,
        pressure: ProbePressure | None = None,
    ) -> None: ...
    def draw(self, count: int, rotation: float, translation: float, seed: int) -> list[list[float]]: ...
    def optimize(
        self, starts: Sequence[Sequence[float]], terms: Sequence[Term], settings: StageSettings
    ) -> StageResult:
        """Ends of BFGS over the forward term, and the backward one where there is one."""

    def evaluate(
        self, parameters: Sequence[float], terms: Sequence[Term], samples: int = 0
    ) -> tuple[float, npt.NDArray[np.float64]]: ...
    def map(self, parameters: Sequence[float]) -> tuple[list[float], list[float]]: ...
    @property
    def centre(self) -> list[float]: ...
    @property
    def radius(self) -> float: ...

class DisplacementSearch:
    """Costs of displacing control points, in steps; arrays are (z, y, x) and (z, y, x, 3)."""

    def __init__(
        self,
        fixed: FeatureVolume,
        moving: FeatureVolume,
        *,
        control_spacing: int,
        step: int,
        radius: int,
        cost_radius: int = 1,
        threads: int = 0,
    ) -> None: ...
    @property
    def shape(self) -> tuple[int, int, int]: ...
    def costs(self, displacement: Sequence[int]) -> npt.NDArray[np.float32]: ...
    def nearest(self, near: npt.NDArray[np.float32], coupling: float) -> npt.NDArray[np.float32]: ...
    def smooth(self, displacements: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...
    def run(self, couplings: Sequence[float]) -> npt.NDArray[np.float32]: ...

def widen(features: FeatureVolume, image: Grid, sigma: float) -> FeatureVolume: ...
def mean_of(features: FeatureVolume) -> list[float]:
    """Weighted mean of the descriptors."""

def centred(features: FeatureVolume, mean: Sequence[float]) -> FeatureVolume:
    """The descriptors less a mean; those that are 0, outside of an image, stay 0."""

class FeatureRequest:
    """What a metric asks of its extractor."""

    @property
    def model(self) -> str: ...
    @property
    def voxel_spacing(self) -> float: ...
    @property
    def stride(self) -> int: ...
    @property
    def providers(self) -> list[str]: ...
    @property
    def direction(self) -> list[float] | None: ...

Extractor = Callable[[npt.NDArray[Any], Grid, str, FeatureRequest, npt.NDArray[np.uint8] | None], FeatureVolume]
