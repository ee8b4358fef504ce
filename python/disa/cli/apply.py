# SPDX-License-Identifier: Apache-2.0
"""`disa apply`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from disa.cli.arguments import spread
from disa.cli.common import OptionError, SeriesOption, ShearedOption, one_line, path_argument, path_option

if TYPE_CHECKING:
    import SimpleITK as sitk

    from disa.geometry.applying import Resampling
    from disa.io.matrix_texts import TakeMatrix
    from disa.io.reading import ImageFile


class Interpolation(str, Enum):
    """Between voxels; the names of `disa.geometry.applying.INTERPOLATORS`."""

    NEAREST = "nearest"
    LINEAR = "linear"
    BSPLINE = "bspline"
    SINC = "windowed-sinc"
    LABEL = "label-gaussian"


class MatrixOf(str, Enum):
    """Whose a text of 4 x 4 numbers is."""

    FLIRT = "flirt"
    GREEDY = "greedy"


@dataclass(frozen=True)
class TransformArguments:
    """The transform that is applied."""

    transform: Annotated[Path, path_argument(help="from fixed to moving points: .h5, .tfm, .mat, displacement image")]
    then: Annotated[
        list[Path] | None, path_option(metavar="TRANSFORM", help="transform for the points that come out; repeatable")
    ] = None
    inverse: Annotated[bool, typer.Option("--inverse", help="the other way, from moving to fixed points")] = False
    matrix_of: Annotated[
        MatrixOf | None,
        typer.Option(metavar="TOOL", help="whose a text of 4 x 4 numbers is: flirt, or greedy (and C3D)"),
    ] = None
    moving: Annotated[
        Path | None, path_option(help="the moving image, for --matrix-of flirt where no image is carried")
    ] = None

    def read(self, grid: sitk.Image | None, moving: Path | None) -> sitk.Transform:
        """All of them as one.

        Args:
            grid: image that has the fixed grid, if there is one.
            moving: the image that is carried, if there is one.

        Raises:
            OptionError: an image is needed that is not given.
            DISAError: something cannot be read or inverted.
        """
        import SimpleITK as sitk

        from disa.geometry.inverting import inverted
        from disa.io.transform_files import read_transform

        take_matrix = self._take_matrix(grid, self.moving or moving)
        parts = [read_transform(path, take_matrix) for path in (self.transform, *(self.then or ()))]
        mapping = parts[0] if len(parts) == 1 else sitk.CompositeTransform(parts[::-1])
        return inverted(mapping, str(self.transform), grid) if self.inverse else mapping

    def _take_matrix(self, grid: sitk.Image | None, moving: Path | None) -> TakeMatrix | None:
        """What a text of 4 x 4 numbers is taken for."""
        from disa.geometry.grid import Grid
        from disa.io.matrix_texts import of_flirt, of_greedy
        from disa.io.reading import read_image

        if self.matrix_of is not MatrixOf.FLIRT:
            return None if self.matrix_of is None else of_greedy
        if grid is None or moving is None:
            raise OptionError(
                "--matrix-of flirt needs both images, for its numbers are voxels of these; give --reference, the fixed "
                "one (-ref of flirt), and --moving (its -in)"
            )
        return of_flirt(Grid.of(grid), Grid.of(read_image(moving, labels=True)))


@dataclass(frozen=True)
class ResamplingArguments:
    """How an image is carried onto a grid."""

    reference: Annotated[
        Path | None, path_option(help="image whose grid the result is on, the fixed one; needed for an image")
    ] = None
    interpolation: Annotated[
        Interpolation | None,
        typer.Option(
            metavar="HOW", help="nearest, linear, bspline, windowed-sinc or label-gaussian; linear if not given"
        ),
    ] = None
    default_value: Annotated[
        float | None, typer.Option(help="outside of the moving image; its least value, and 0 with --labels")
    ] = None
    labels: Annotated[bool, typer.Option("--labels", help="the image is a label map or mask")] = False
    series: SeriesOption = None
    reference_series: SeriesOption = None
    resample_sheared: ShearedOption = False

    @property
    def grid(self) -> ImageFile | None:
        """The image whose grid the result has, if there is one."""
        from disa.io.reading import ImageFile

        if self.reference is None:
            return None
        return ImageFile(self.reference, self.reference_series, self.resample_sheared)

    @property
    def are_labels(self) -> bool:
        """Whether the image is a label map."""
        return self.labels or self.interpolation is Interpolation.LABEL

    def resampling(self) -> Resampling:
        """The same for `resampled`. Raises OptionError where labels would be made up."""
        from disa.geometry.applying import FOR_LABELS, LABELS, Resampling

        chosen = self.interpolation or (Interpolation.NEAREST if self.labels else Interpolation.LINEAR)
        if self.labels and chosen.value not in FOR_LABELS:
            raise OptionError(
                f"--labels with --interpolation {chosen.value} makes labels up; give {' or '.join(FOR_LABELS)}"
            )
        outside = LABELS.outside if self.labels and self.default_value is None else self.default_value
        return Resampling(chosen.value, outside)


@spread
def apply(
    given: TransformArguments,
    output: Annotated[Path, path_option("--output", "-o", help="file to write")],
    how: ResamplingArguments,
    source: Annotated[
        Path | None,
        path_argument(
            help="moving image, or fixed points: .csv of x, y, z in mm (LPS), .fcsv or .mrk.json of 3D Slicer; "
            "if not given the transform is written"
        ),
    ] = None,
) -> None:
    """Carry a moving image onto the fixed grid, or fixed points into the moving image.

    Without image or points the transform itself is written, for example its inverse; to an image file as displacements.
    """
    with one_line():
        from disa.cli.progress_bar import progress_bar
        from disa.geometry.applying import resampled, transformed
        from disa.io.images import IMAGE_ENDINGS
        from disa.io.points import check_same_kind, ending_of, read_points
        from disa.io.reading import ImageFile, read_image
        from disa.io.writing import write_image, write_text, write_transform

        resampling, grid = how.resampling(), how.grid
        if source is not None and not ending_of(source) and grid is None:
            raise OptionError(f"{source}: an image is carried onto a grid; give --reference, the fixed image")
        with progress_bar({"apply": [("inverting", 1.0), ("resampling", 1.0)]}):
            fixed = None if grid is None else read_image(grid, labels=True)
            mapping = given.read(fixed, None if source is None or ending_of(source) else source)
            if source is None and output.name.lower().endswith(IMAGE_ENDINGS):
                write_image(_displacements(mapping, fixed), output)
            elif source is None:
                write_transform(mapping, output)
            elif fixed is not None and not ending_of(source):
                moving = read_image(ImageFile(source, how.series, how.resample_sheared), labels=how.are_labels)
                write_image(resampled(moving, fixed, mapping, resampling), output)
            else:
                check_same_kind(source, output)
                points = read_points(source)
                write_text(output, points.moved_to(transformed(points.positions, mapping)))


def _displacements(mapping: sitk.Transform, grid: sitk.Image | None) -> sitk.Image:
    """As an image on the transform's own nodes, or on a grid. Raises OptionError where there is neither."""
    import SimpleITK as sitk

    from disa.geometry.applying import displacements_on

    if grid is not None:
        return displacements_on(mapping, grid)
    if mapping.GetTransformEnum() == sitk.sitkDisplacementField:
        field: sitk.Image = sitk.DisplacementFieldTransform(mapping).GetDisplacementField()
        return field
    raise OptionError("displacements are written on a grid; give --reference, the fixed image, or a name such as .h5")
