# SPDX-License-Identifier: Apache-2.0
"""itk-impact's metric over 16 feature channels, for `metric_speed.py --impact`; `pip install itk-impact==0.1.6`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

import itk

ImageType = itk.Image[itk.F, 3]


class Features(torch.nn.Module):
    """The smallest network of 16 channels: its features are computed once, so what it is makes no difference."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv3d(1, 16, 3, padding=1)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        return [self.convolution(image)]


def make_impact(work_units: int, **images: Any) -> Any:
    """The metric with the L2 distance over all channels, its features computed once for each image."""
    torch.set_num_threads(work_units)
    model = Path(tempfile.mkdtemp()) / "features.pt"
    torch.jit.script(Features().eval()).save(str(model))
    models = itk.vector[itk.ImpactModelConfiguration]()
    models.push_back(itk.ImpactModelConfiguration(str(model), 3, 1, [0] * 3, [1.0] * 3, [0] * 3, [True], False))
    metric = itk.ImpactImageToImageMetricv4[ImageType, ImageType].New(**images)
    metric.SetModelsConfiguration(models)
    metric.SetMode("Static")
    metric.SetDistance(["L2"])
    metric.SetSubsetFeatures([16])
    metric.SetPCA([0])
    metric.SetLayersWeight([1.0])
    return metric
