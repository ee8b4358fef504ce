# SPDX-License-Identifier: Apache-2.0
"""Rigid registration in three levels, with callbacks and a live plot of the metric.

python examples/simpleitk/rigid_with_metric_plot.py FIXED MOVING OUTPUT.tfm [PLOT.png]
"""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
import SimpleITK as sitk

import disa


class MetricPlot:
    """The metric's value at each iteration, and where each level began."""

    def __init__(self, method: sitk.ImageRegistrationMethod) -> None:
        self.method = method
        self.values: list[float] = []
        self.level_starts: list[int] = []
        self.figure, self.axes = plt.subplots()
        method.AddCommand(sitk.sitkMultiResolutionIterationEvent, self.start_level)
        method.AddCommand(sitk.sitkIterationEvent, self.add_value)

    def start_level(self) -> None:
        self.level_starts.append(len(self.values))

    def add_value(self) -> None:
        self.values.append(self.method.GetMetricValue())
        print(
            f"level {self.method.GetCurrentLevel()}  iteration {self.method.GetOptimizerIteration():3d}  "
            f"metric {self.values[-1]:+.5f}  step {self.method.GetOptimizerLearningRate():.4g}"
        )
        self.draw()
        if plt.isinteractive():
            plt.pause(0.01)

    def draw(self) -> None:
        self.axes.clear()
        self.axes.plot(self.values, "r")
        starts = [start for start in self.level_starts if start < len(self.values)]
        self.axes.plot(starts, [self.values[start] for start in starts], "b*", label="new level")
        self.axes.set(xlabel="iteration", ylabel="metric")
        self.axes.legend()


def main(fixed_path: str, moving_path: str, output: str, plot_path: str | None = None) -> None:
    fixed = sitk.ReadImage(fixed_path, sitk.sitkFloat32)
    moving = sitk.ReadImage(moving_path, sitk.sitkFloat32)
    initial = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )

    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()  # was: method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=50)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0, minStep=1e-3, numberOfIterations=100, relaxationFactor=0.7, gradientMagnitudeTolerance=1e-8
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(shrinkFactors=[4, 2, 1])
    method.SetSmoothingSigmasPerLevel(smoothingSigmas=[2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(initial, inPlace=False)

    plot = MetricPlot(method)
    final = method.Execute(fixed, moving)
    print(f"final metric value: {method.GetMetricValue()}")
    print(f"stop condition: {method.GetOptimizerStopConditionDescription()}")
    sitk.WriteTransform(final, output)
    if plot_path:
        plot.figure.savefig(plot_path)


if __name__ == "__main__":
    main(*sys.argv[1:])
