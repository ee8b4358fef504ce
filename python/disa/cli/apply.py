# SPDX-License-Identifier: Apache-2.0
"""`disa apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from disa.cli.common import SeriesOption, ShearedOption, one_line


def apply(
    transform: Annotated[Path, typer.Argument(help="from fixed to moving points: .h5, .tfm, .mat, displacement image")],
    source: Annotated[Path, typer.Argument(help="moving image, or a CSV table of fixed points: x, y, z in mm (LPS)")],
    output: Annotated[Path, typer.Option("--output", "-o", help="image or CSV table to write")],
    reference: Annotated[
        Path | None, typer.Option(help="image whose grid the result is on, the fixed one; needed for an image")
    ] = None,
    labels: Annotated[bool, typer.Option("--labels", help="nearest neighbour, for label maps and masks")] = False,
    series: SeriesOption = None,
    reference_series: SeriesOption = None,
    resample_sheared: ShearedOption = False,
    inverse: Annotated[bool, typer.Option("--inverse", help="the other way, for transforms that have one")] = False,
) -> None:
    """Carry a moving image onto the fixed grid, or fixed points into the moving image."""
    with one_line():
        from disa.cli.progress_bar import progress_bar
        from disa.errors import ImageError
        from disa.geometry.applying import inverted, resampled, transformed
        from disa.io.points import read_points
        from disa.io.reading import ImageFile, read_image
        from disa.io.transform_files import read_transform
        from disa.io.writing import write_image, write_text

        mapping = read_transform(transform)
        if inverse:
            mapping = inverted(mapping, str(transform))
        if source.suffix.lower() == ".csv":
            points = read_points(source)
            write_text(output, points.moved_to(transformed(points.positions, mapping)))
        elif reference is None:
            raise ImageError(f"{source}: an image is carried onto a grid; give --reference, the fixed image")
        else:
            with progress_bar({"image": [("resampling", 1.0)]}):
                moving = read_image(ImageFile(source, series, resample_sheared), labels=labels)
                fixed = read_image(ImageFile(reference, reference_series, resample_sheared), labels=True)
                write_image(resampled(moving, fixed, mapping, labels), output)
