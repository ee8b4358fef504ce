# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from disa._core import Extractor, FeatureVolume
from disa.geometry.grid import Grid

itk_version: str
"""Of the wheel that it is linked to, or of the ITK inside."""

class FloatImage:
    """Pixels of shape (z, y, x) and where they lie."""

    def __init__(self, pixels: npt.NDArray[np.float32], grid: Grid) -> None: ...

class MaskImage:
    """Pixels of shape (z, y, x) and where they lie."""

    def __init__(self, pixels: npt.NDArray[np.uint8], grid: Grid) -> None: ...

class TransformDescription:
    def __init__(
        self,
        name: str,
        *,
        fixed_parameters: npt.NDArray[np.float64] = ...,
        parameters: npt.NDArray[np.float64] = ...,
        parts: Sequence[TransformDescription] = ...,
        options: dict[str, list[float]] = ...,
    ) -> None: ...
    @property
    def fixed_parameters(self) -> npt.NDArray[np.float64]: ...
    @property
    def parameters(self) -> npt.NDArray[np.float64]: ...
    @property
    def parts(self) -> list[TransformDescription]: ...

class MetricSettings:
    name: str
    numbers: dict[str, float]
    model: str
    voxel_spacing: float | None
    fixed_stride: int
    moving_stride: int
    reorientation_angle: float
    smoothing: list[float]
    providers: list[str]
    def set_extractor(self, extractor: Extractor) -> None: ...
    def set_fixed_features(self, features: FeatureVolume | None) -> None: ...
    def set_moving_features(self, features: FeatureVolume | None) -> None: ...

class OptimizerSettings:
    name: str
    numbers: dict[str, float]
    number_of_steps: list[int]

class ScalesSettings:
    estimator: str
    numbers: dict[str, float]
    scales: list[float]

class RegistrationSettings:
    fixed: FloatImage
    moving: FloatImage
    fixed_mask: MaskImage | None
    moving_mask: MaskImage | None
    initial: TransformDescription
    fixed_initial: TransformDescription | None
    moving_initial: TransformDescription | None
    spline_scale_factors: list[int]
    virtual_domain: Grid | None
    metric: MetricSettings
    optimizer: OptimizerSettings
    scales: ScalesSettings
    weights: list[float]
    shrink_factors: list[int]
    smoothing_sigmas: list[float]
    sigmas_are_in_physical_units: bool
    sampling_strategy: int
    sampling_percentages: list[float]
    sampling_seed: int
    use_fixed_gradient_filter: bool
    use_moving_gradient_filter: bool
    number_of_work_units: int

class RegistrationEngine:
    def __init__(self, settings: RegistrationSettings) -> None: ...
    def run(self) -> None: ...
    def evaluate(self) -> float: ...
    def add_observer(self, event: str, function: Callable[[], object]) -> None: ...
    def remove_all_observers(self) -> None: ...
    def stop(self) -> bool: ...
    def abort(self) -> None: ...
    def get_transform(self) -> TransformDescription: ...
    def get_current_level(self) -> int: ...
    def get_iteration(self) -> int: ...
    def get_position(self) -> list[float]: ...
    def get_scales(self) -> list[float]: ...
    def get_metric_value(self) -> float: ...
    def get_learning_rate(self) -> float: ...
    def get_convergence_value(self) -> float: ...
    def get_number_of_valid_points(self) -> int: ...
    def get_progress(self) -> float: ...
    def get_stop_condition_description(self) -> str: ...
