# SPDX-License-Identifier: Apache-2.0
"""`disa features` and `disa heatmap`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from disa.cli.arguments import spread
from disa.cli.common import (
    Device,
    DeviceOption,
    ModelOption,
    SeriesOption,
    ShearedOption,
    SpacingOption,
    Stride,
    one_line,
    path_argument,
    path_option,
    providers_of,
)

if TYPE_CHECKING:
    from disa.io.reading import ImageFile


def features(
    image: Annotated[Path, path_argument(help="image file or folder with one DICOM series")],
    output: Annotated[Path, path_option("--output", "-o", help="file to write, for disa.FeatureVolume.load")],
    stride: Annotated[Stride, typer.Option(help="voxels between descriptors")] = Stride.FOUR,
    spacing: SpacingOption = 2.0,
    smoothing: Annotated[float, typer.Option(help="mm, width of the kernel over the descriptors; 0: none")] = 0.0,
    model: ModelOption = "disa-lc2",
    device: DeviceOption = Device.AUTO,
    series: SeriesOption = None,
    resample_sheared: ShearedOption = False,
) -> None:
    """Write an image's descriptors."""
    with one_line():
        from disa.cli.progress_bar import progress_bar
        from disa.features.extract import extract_features
        from disa.io.reading import ImageFile
        from disa.io.writing import write_features

        with progress_bar({"descriptors": [("network", 1.0)]}):
            found = extract_features(
                ImageFile(image, series, resample_sheared),
                model=model,
                spacing=spacing,
                stride=int(stride.value),
                smoothing=smoothing,
                providers=providers_of(device),
            )
            write_features(found, output)
    z, y, x, channels = found.data.shape
    typer.echo(
        f"{output}: {x} x {y} x {z} descriptors of {channels} channels, {spacing * int(stride.value):g} mm apart"
    )


@dataclass(frozen=True)
class ComparedArguments:
    """Images of `disa heatmap`."""

    fixed: Annotated[Path, path_argument(help="image that the point is in")]
    moving: Annotated[Path, path_argument(help="image to compare it with")]
    fixed_series: SeriesOption = None
    moving_series: SeriesOption = None
    resample_sheared: ShearedOption = False

    def files(self) -> dict[str, ImageFile]:
        """Both, by what they are called."""
        from disa.io.reading import ImageFile

        return {
            "fixed image": ImageFile(self.fixed, self.fixed_series, self.resample_sheared),
            "moving image": ImageFile(self.moving, self.moving_series, self.resample_sheared),
        }


@spread
def heatmap(
    images: ComparedArguments,
    point: Annotated[tuple[float, float, float], typer.Option(help="x, y, z in mm (LPS)")],
    output: Annotated[Path, path_option("--output", "-o", help="image to write, in the moving image's frame")],
    stride: Annotated[Stride, typer.Option(help="voxels between descriptors")] = Stride.TWO,
    spacing: SpacingOption = 2.0,
    model: ModelOption = "disa-lc2",
    device: DeviceOption = Device.AUTO,
) -> None:
    """Write how alike one point of an image is to every place of another (paper, Fig. 1)."""
    with one_line():
        import numpy as np

        from disa.cli.progress_bar import progress_bar
        from disa.features.extract import extract_features
        from disa.features.heat_map import similarity_map
        from disa.geometry.pixels import pixels_of
        from disa.io.writing import write_image
        from disa.progress import announce

        both = []
        with progress_bar({"fixed image": [("network", 1.0)], "moving image": [("network", 1.0)]}):
            for name, image in images.files().items():
                announce(name)
                both.append(
                    extract_features(
                        image, model=model, spacing=spacing, stride=int(stride.value), providers=providers_of(device)
                    )
                )
            found = similarity_map(both[0], point, both[1])
            write_image(found, output)
        values = pixels_of(found)
        z, y, x = (int(i) for i in np.unravel_index(int(values.argmax()), values.shape))
        place = ", ".join(f"{v:.1f}" for v in found.TransformIndexToPhysicalPoint((x, y, z)))
    typer.echo(f"{output}: highest value {values.max():.3f} at {place} mm")
