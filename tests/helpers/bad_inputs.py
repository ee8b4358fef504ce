# SPDX-License-Identifier: Apache-2.0
"""Bad input that was tried, what was said of it, and the page of both."""

from __future__ import annotations

import gzip
import math
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from typer.testing import CliRunner

import disa
from disa.cli.app import app
from disa.network.models import find_model
from helpers import dicom_files
from helpers.dicom_files import write_enhanced, write_series
from helpers.images import structured_image
from helpers.nifti_fields import ras_positions, write_field
from helpers.paths import DOCS

PAGE = DOCS / "errors.md"

HEAD = """# Bad input, and what is said of it

Each line was tried, and the text is what came out. `python tests/write_errors.py` writes this page, and a test compares
it.

- **On the command line** the text is one line on the standard error stream, after `disa: `. No file is written then.
  What the exit codes mean: [command line](howto/command-line.md#exit-codes).
- **In Python** the same text is the message of an exception. Its types: [Python](howto/python.md#errors).

What to do when it stops, or the result is wrong: [What do I do when ...?](troubleshooting.md)
"""


@dataclass(frozen=True)
class Case:
    """One bad input.

    Attributes:
        what: in words.
        attempt: a command line without `disa`, or a call.
    """

    what: str
    attempt: str | Callable[[], object]


def register(what: str, options: str, fixed: str = "fixed.nii.gz") -> Case:
    return Case(what, f"register {fixed} moving.nii.gz -o out {options}".strip())


CASES: dict[str, list[Case]] = {
    "Images": [
        register("no such file", "", "none.nii.gz"),
        register("an empty file", "", "empty.nii.gz"),
        register("a text under the name of an image", "", "text.nrrd"),
        register("a compressed file that was cut short", "", "short.nii.gz"),
        register("a header that promises more voxels than there are", "", "promises.nii"),
        register("a folder without DICOM", "", "folder"),
        register("a 2-D image", "", "flat.png"),
        register("a 4-D image", "", "series.nii.gz"),
        register("a colour image", "", "colour.nrrd"),
        register("a single slice", "", "slice.nii.gz"),
        register("a constant image", "", "constant.nii.gz"),
        register("NaN among the voxels", "", "nan.nrrd"),
        register("axes that are not at right angles", "", "skewed.nrrd"),
        register("a spacing in the header that makes 5 m of it", "--spacing 0.1", "large.nii.gz"),
        register("a pipe", "", "pipe.nii"),
        register("a name of 300 letters", "", 300 * "a" + ".nii"),
        register("complex voxels", "", "complex.nii"),
        register("voxels of 128 bits", "", "wide.nii"),
        register("a damaged byte in a compressed file", "", "damaged.nii.gz"),
    ],
    "Where an image lies": [
        register("a spacing that is no number", "", "spacing-nan.mha"),
        register("no spacing", "", "spacing-0.mha"),
        register("an origin beyond all worlds", "", "origin.mha"),
        register("axes that are no numbers", "", "axes-nan.mha"),
        register("a header in metres", "", "metres.nii.gz"),
        register("lengths in micrometres", "", "micrometres.nrrd"),
        register("a NIfTI header in NaN", "", "nan-form.nii"),
        register("a MetaImage header of too many axes", "", "axes.mha"),
        register("an Analyze header", "", "analyze.hdr"),
        register("half of a pair", "", "half.img"),
    ],
    "DICOM": [
        register("two series", "", "two-series"),
        register("a series that is not there", "--fixed-series 9", "two-series"),
        register("two echoes", "", "echoes"),
        register("a missing slice", "", "gap"),
        register("uneven distances", "", "uneven"),
        register("a localiser among the slices", "", "localiser"),
        register("a slice twice", "", "twice"),
        register("a tilted gantry", "", "tilted"),
        register("slices without a position", "", "nowhere"),
        register("frames of two time points", "", "times.dcm"),
        register("frames without a place", "", "frames.dcm"),
        register("frames of a tilted gantry", "", "tilted.dcm"),
        register("voxels that ITK does not decode", "", "htj2k.dcm"),
        register("a report", "", "report.dcm"),
    ],
    "Masks": [
        register("a mask without a voxel", "--fixed-mask zeros.nii.gz"),
        register("a mask elsewhere in space", "--fixed-mask elsewhere.nii.gz"),
        register("a mask of several channels", "--fixed-mask colour.nrrd"),
        register("a 4-D mask", "--fixed-mask series.nii.gz"),
        register("a mask of nothing but NaN", "--fixed-mask all-nan.nrrd"),
    ],
    "Transforms": [
        register("no such file", "--initial-transform none.tfm"),
        register("a text that is no transform", "--initial-transform points.csv"),
        register("an empty file", "--initial-transform empty.tfm"),
        register("a folder", "--initial-transform folder"),
        register("a pipe", "--initial-transform pipe.tfm"),
        register("NaN among the numbers", "--initial-transform nan.tfm"),
        register("infinity in HDF5", "--initial-transform infinite.h5"),
        register("a true transform beyond all bounds", "--truth vast.tfm"),
        register("a number too few", "--initial-transform few.tfm"),
        register("two transforms that are no composite", "--initial-transform two.tfm"),
        register("a transform that ITK does not have", "--initial-transform elastic.tfm"),
        register("a matrix file that was cut short", "--initial-transform short.mat"),
        register("an HDF5 file that was cut short", "--initial-transform short.h5"),
        register("a MINC text of something else", "--initial-transform grid.xfm"),
        register("a 2-D transform", "--initial-transform flat.tfm"),
        register("a start that is not linear", "--initial-transform spline.h5"),
        register("a start that flattens space", "--initial-transform flattening.tfm"),
        register("a start where the images do not meet", "--initial-transform away.tfm --search local"),
        register("4 x 4 numbers, of nobody knows whom", "--initial-transform numbers.mat"),
        Case("a matrix of FSL without the images", "apply numbers.mat points.csv -o x.csv --matrix-of flirt"),
        register("a transform of elastix that ITK does not have", "--initial-transform kernel.txt"),
        register("a text of elastix that begins with itself", "--initial-transform itself.txt"),
        Case("a B-spline's inverse, on no grid", "apply spline.h5 -o back.h5 --inverse"),
        Case("the inverse of a field that folds", "apply folded.h5 -o back.h5 --inverse"),
        Case("displacements on no grid", "apply away.tfm -o back.nii.gz --inverse"),
        Case("an image in place of displacements", "apply fixed.nii.gz points.csv -o x.csv"),
        Case("NaN among displacements", "apply nan.nii points.csv -o x.csv"),
        Case("positions in place of displacements", "apply positions.nii points.csv -o x.csv"),
        Case("NiftyReg's grid of control points", "apply grid.nii points.csv -o x.csv"),
        Case("a warp of FSL", "apply fsl.nii points.csv -o x.csv"),
    ],
    "Points and labels": [
        Case("no such file", "apply away.tfm none.csv -o x.csv"),
        Case("a pipe", "apply away.tfm pipe.csv -o x.csv"),
        Case("other columns", "apply away.tfm other.csv -o x.csv"),
        Case("semicolons between cells", "apply away.tfm semicolons.csv -o x.csv"),
        Case("a column twice", "apply away.tfm double.csv -o x.csv"),
        Case("a comma within a cell", "apply away.tfm comma.csv -o x.csv"),
        Case("a cell too few", "apply away.tfm narrow.csv -o x.csv"),
        Case("an empty cell", "apply away.tfm gap.csv -o x.csv"),
        Case("a word for a number", "apply away.tfm words.csv -o x.csv"),
        Case("NaN for a number", "apply away.tfm nan.csv -o x.csv"),
        Case("a text in Latin-1", "apply away.tfm latin.csv -o x.csv"),
        Case("markups that do not say their coordinate system", "apply away.tfm nowhere.fcsv -o x.fcsv"),
        Case("markups in voxels", "apply away.tfm voxels.fcsv -o x.fcsv"),
        Case("a region of 3D Slicer", "apply away.tfm region.mrk.json -o x.mrk.json"),
        Case("points under another ending", "apply away.tfm points.csv -o x.fcsv"),
        Case("not as many in both", "evaluate away.tfm --fixed-landmarks points.csv --moving-landmarks one.csv"),
        Case("labels of several channels", "evaluate away.tfm --fixed-labels colour.nrrd --moving-labels zeros.nii.gz"),
        Case("a soft map", "evaluate away.tfm --fixed-labels fixed.nii.gz --moving-labels zeros.nii.gz"),
        Case("one of two files", "evaluate away.tfm --fixed-labels fixed.nii.gz"),
        Case("nothing to measure by", "evaluate away.tfm"),
        Case("a point outside", "heatmap fixed.nii.gz moving.nii.gz --point 0 0 900 -o map.nii.gz"),
    ],
    "Models": [
        register("no such name", "--model disa-x"),
        register("no such file", "--model none.onnx"),
        register("a byte was changed", "--model damaged-stride4.onnx"),
        register("a network from elsewhere", "--model foreign-stride4.onnx"),
        Case("neither a model's name nor a file", "info disa-x"),
        Case("no network at all", "info text.onnx"),
        Case("a network to seal that there is not", "seal none.onnx -o mine.onnx"),
        Case("no network to seal", "seal points.csv -o mine.onnx"),
        Case("a network to seal of another stride", "seal copy.onnx -o mine.onnx --stride 2"),
        Case("a model that is not called .onnx", "seal copy.onnx -o mine.bin"),
    ],
    "Descriptors": [
        Case("no such file", lambda: disa.FeatureVolume.load("none.disa")),
        Case("something else", lambda: disa.FeatureVolume.load("points.csv")),
        Case("a pipe", lambda: disa.FeatureVolume.load("pipe.tfm")),
        Case("a file that was cut short", lambda: disa.FeatureVolume.load("short.disa")),
        Case("a bit was changed", lambda: disa.FeatureVolume.load("damaged.disa")),
        Case("a file from before there were checksums", lambda: disa.FeatureVolume.load("old.disa")),
    ],
    "Options": [
        register("no spacing", "--spacing 0"),
        register("half a probe", "--transform probe --probe-depth 60"),
        register("a probe without a direction",
                 "--transform probe --probe-contact 0 0 0 --probe-axis 0 0 0 --probe-depth 60"),
        register("landmarks of one image", "--fixed-landmarks points.csv"),
        register("settings with an option that there is not", "--settings wrong.yaml"),
        register("a number of starts for a search from one", "--search local --starts 100"),
        register("an option of the deformation without one", "--fold-free"),
        register("rigid parts without a deformation", "--fixed-rigid-parts fixed.nii.gz"),
        Case("landmarks of one image as constraints", lambda: disa.Constraints(fixed_landmarks=[[0, 0, 0]])),
        Case("a tolerance of nothing", lambda: disa.Constraints(landmark_tolerance=0)),
        Case("fewer starts than one", lambda: disa.global_register("fixed.nii.gz", "moving.nii.gz", starts=0)),
        Case("a kind of transform that there is not",
             lambda: disa.register("fixed.nii.gz", "moving.nii.gz", transform="elastic")),
        Case("a search narrower than its step",
             lambda: disa.deformable_register("fixed.nii.gz", "moving.nii.gz", radius=1.0)),
        Case("an array in place of an image", lambda: disa.extract_features(np.zeros((9, 9, 9)))),
    ],
    "Output": [
        Case("a file where a folder is to be", "register fixed.nii.gz moving.nii.gz -o points.csv"),
        Case("a folder below a file", "apply away.tfm points.csv -o points.csv/x.csv"),
        Case("a value that the image's pixels cannot hold",
             "apply away.tfm zeros.nii.gz --reference fixed.nii.gz -o x.nii.gz --default-value -1000"),
        Case("an interpolator that makes labels up",
             "apply away.tfm zeros.nii.gz --labels --interpolation bspline --reference fixed.nii.gz -o x.nii.gz"),
        Case("an ending that is no image's", "apply away.tfm moving.nii.gz --reference fixed.nii.gz -o x.xyz"),
        Case("a format that holds one slice",
             "apply away.tfm zeros.nii.gz --labels --reference fixed.nii.gz -o x.png"),
        Case("two endings", "apply away.tfm moving.nii.gz --reference fixed.nii.gz -o x.nii.gz.nii.gz"),
        Case("a pipe that nobody reads", "apply away.tfm points.csv -o pipe.tfm"),
        Case("a folder under the name of a result", "register fixed.nii.gz moving.nii.gz -o taken"),
        Case("somebody's transform.tfm, where a run writes none",
             "register fixed.nii.gz moving.nii.gz -o foreign --deformable"),
        Case("an input that the results would replace", "register fixed.nii.gz foreign/moved.nii.gz -o foreign"),
        Case("an input's folder for the results", "register two-series moving.nii.gz -o two-series --fixed-series 1"),
        Case("a file where a cohort's folder is to be", "cohort pairs.csv -o points.csv"),
        Case("an image without a grid to carry it to", "apply away.tfm moving.nii.gz -o x.nii.gz"),
    ],
    "Cohorts": [
        Case("no such table", "cohort none.csv -o out"),
        Case("a column too many", "cohort other.csv -o out"),
        Case("no pairs", "cohort nobody.csv -o out"),
        Case("one name twice", "cohort twins.csv -o out"),
        Case("a name that leads out of the folder", "cohort outside.csv -o out"),
        Case("a probe for all", "cohort pairs.csv -o out --transform probe"),
    ],
}  # fmt: skip


def make_files(folder: Path) -> None:
    """What the cases name."""
    image = structured_image((20, 20, 20))
    pixels = sitk.GetArrayFromImage(image)

    def write(name: str, image: sitk.Image) -> None:
        sitk.WriteImage(image, str(folder / name))

    def written(name: str, values: np.ndarray) -> None:
        write(name, sitk.GetImageFromArray(values))

    for name in ("folder", "taken/report.html", "foreign"):
        (folder / name).mkdir(parents=True)
    for name in ("fixed", "moving", "foreign/moved"):
        write(f"{name}.nii.gz", image)
    (folder / "empty.nii.gz").write_bytes(b"")
    write("axes.mha", image)
    header = (folder / "axes.mha").read_bytes().replace(b"NDims = 3", b"NDims = 999999999993")
    (folder / "axes.mha").write_bytes(header)
    (folder / "text.nrrd").write_text("not an image\n")
    whole = (folder / "fixed.nii.gz").read_bytes()
    (folder / "short.nii.gz").write_bytes(whole[: len(whole) // 2])
    content = gzip.decompress(whole)
    (folder / "promises.nii").write_bytes(content[:42] + np.array([900] * 3, "<i2").tobytes() + content[48:])
    (folder / "foreign" / "transform.tfm").touch()
    written("flat.png", pixels[0].astype(np.uint8))
    write("series.nii.gz", sitk.JoinSeries([image, image]))
    write("colour.nrrd", sitk.Compose(image, image, image))
    write("slice.nii.gz", image[:, :, :1])
    written("constant.nii.gz", np.full((9, 9, 9), 7.0, np.float32))
    written("nan.nrrd", np.where(pixels > pixels.mean(), np.float32(np.nan), pixels))
    skewed = image[:, :, :]
    skewed.SetDirection((1.0, 0.2, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    write("skewed.nrrd", skewed)
    large, elsewhere = image[:, :, :], image != 1e9
    large.SetSpacing((250.0,) * 3)
    elsewhere.SetOrigin((5000.0, 0.0, 0.0))
    write("large.nii.gz", large)
    write("zeros.nii.gz", image == 1e9)
    write("elsewhere.nii.gz", elsewhere)
    _make_places(folder, image)
    _make_dicom(folder)
    transforms = {
        "flat.tfm": sitk.Euler2DTransform(),
        "spline.h5": sitk.BSplineTransformInitializer(image, (4, 4, 4)),
        "flattening.tfm": sitk.AffineTransform(np.diag((1.0, 1.0, 0.0)).ravel().tolist(), (0.0,) * 3),
        "away.tfm": sitk.TranslationTransform(3, (5000.0, 0.0, 0.0)),
        "folded.h5": _folded(),
    }
    for name, transform in transforms.items():
        sitk.WriteTransform(transform, str(folder / name))
    make_damaged_transforms(folder)
    make_damaged_features(folder)
    tables = {
        "points": "x,y,z\n0,30,20\n5,30,20\n",
        "one": "x,y,z\n0,30,20\n",
        "other": "fixed,moving,colour\na,b,red\n",
        "words": "x,y,z\n0,thirty,20\n",
        "semicolons": "x;y;z\n0;30;20\n",
        "double": "x,y,z,x\n0,30,20,1\n",
        "comma": "x,y,z,label\n0,30,20,femur, left\n",
        "narrow": "x,y,z,label\n0,30,20\n",
        "gap": "x,y,z\n0,,20\n",
        "nan": "x,y,z\n0,30,nan\n",
        "nobody": "fixed,moving\n",
        "twins": "name,fixed,moving\na,fixed.nii.gz,moving.nii.gz\na,moving.nii.gz,fixed.nii.gz\n",
        "outside": "name,fixed,moving\n../a,fixed.nii.gz,moving.nii.gz\n",
        "pairs": "fixed,moving\nfixed.nii.gz,moving.nii.gz\n",
    }
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    _make_texts(folder)
    (folder / "latin.csv").write_bytes("x,y,z,n\n0,30,20,M\u00fcller\n".encode("latin-1"))
    os.mkfifo(folder / "pipe.csv")
    for stride in (2, 4):
        model = bytearray(find_model("disa-lc2", stride).read_bytes())
        (folder / "copy.onnx").write_bytes(model)
        model[1000] ^= 1
        (folder / f"damaged-stride{stride}.onnx").write_bytes(model)
        (folder / f"foreign-stride{stride}.onnx").write_bytes(model[:-90])


def _make_texts(folder: Path) -> None:
    """Markups, settings and a model that are none."""
    (folder / "text.onnx").write_text("not a network\n")
    (folder / "nowhere.fcsv").write_text("1,0,30,20\n")
    (folder / "voxels.fcsv").write_text("# CoordinateSystem = IJK\n1,0,30,20\n")
    (folder / "region.mrk.json").write_text('{"markups": [{"type": "ROI", "controlPoints": [{}]}]}')
    (folder / "wrong.yaml").write_text("fold_fre: true\n")


def _folded() -> sitk.Transform:
    """A field that turns its middle inside out."""
    moves = np.zeros((9, 9, 9, 3))
    moves[4, 4, 4:6, 0] = 3.0, -3.0
    return sitk.DisplacementFieldTransform(sitk.GetImageFromArray(moves, isVector=True))


def _make_places(folder: Path, image: sitk.Image) -> None:
    """Images whose headers cannot be meant."""
    sitk.WriteImage(image, str(folder / "whole.mha"))
    content = (folder / "whole.mha").read_bytes()
    for name, field, text in (
        ("spacing-nan", b"ElementSpacing", b"nan 2 2"),
        ("spacing-0", b"ElementSpacing", b"0 2 2"),
        ("origin", b"Offset", b"1e300 0 0"),
        ("axes-nan", b"TransformMatrix", b"nan 0 0 0 1 0 0 0 1"),
    ):
        (folder / f"{name}.mha").write_bytes(re.sub(field + rb" = [^\n]*", field + b" = " + text, content, count=1))
    sitk.WriteImage(sitk.Cast(image, sitk.sitkComplexFloat32), str(folder / "complex.nii"))
    sitk.WriteImage(image, str(folder / "half.img"))
    (folder / "half.hdr").rename(folder / "analyze.hdr")
    (folder / "analyze.img").write_bytes((folder / "half.img").read_bytes())
    sitk.WriteImage(image, str(folder / "wide.nii"))
    for source, name, at, data in (
        ("analyze.hdr", "analyze.hdr", 344, bytes(4)),
        ("wide.nii", "nan-form.nii", 280, np.float32(np.nan).tobytes()),
        ("wide.nii", "wide.nii", 70, np.int16(1536).tobytes()),
    ):
        changed = bytearray((folder / source).read_bytes())
        changed[at : at + len(data)] = data
        (folder / name).write_bytes(changed)
    small = image[:, :, :]
    small.SetSpacing((0.002,) * 3)
    sitk.WriteImage(small, str(folder / "metres.nii.gz"))
    packed = bytearray((folder / "fixed.nii.gz").read_bytes())
    packed[-6] ^= 1  # of the checksum
    (folder / "damaged.nii.gz").write_bytes(packed)
    sitk.WriteImage(image * np.nan, str(folder / "all-nan.nrrd"))
    os.mkfifo(folder / "pipe.nii")
    head = "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 2 3 4\nencoding: raw\n"
    head += 'spacings: 2 2 2\nunits: "um" "um" "um"\n\n'
    (folder / "micrometres.nrrd").write_bytes(head.encode() + bytes(range(24)))


def _make_dicom(folder: Path) -> None:
    """Series and multi-frame files that are no single volume."""
    pixels = np.random.default_rng(0).integers(0, 1000, (6, 20, 20))
    spacing, places = (2.0, 2.0, 3.0), np.arange(6)[:, None] * [0.0, 0.0, 3.0]
    leap = np.array([[0.0, 0.0, 0.0]] * 3 + [[0.0, 0.0, 3.0]] * 3)
    doubled = np.repeat(places[:3], 2, axis=0)
    tilted = places + np.arange(6)[:, None] * [0.0, 1.0, 0.0]
    side = {0x00200037: "0\\1\\0\\0\\0\\-1"}
    series: dict[str, tuple[Any, Callable[[int], dict[int, Any]]]] = {
        "two-series": (places, lambda n: {0x0020000E: f"1.2.{n // 3}", 0x00200011: str(n // 3 + 1)}),
        "echoes": (doubled, lambda n: {0x00180086: str(n % 2 + 1)}),
        "gap": (places + leap, lambda n: {}),
        "uneven": (places + leap / 3, lambda n: {}),
        "localiser": (places, lambda n: side if n == 5 else {}),
        "twice": (doubled, lambda n: {0x00080018: f"1.2.3.{n // 2}"}),
        "tilted": (tilted, lambda n: {}),
        "nowhere": (places, lambda n: {0x00200032: None}),
    }
    for name, (where, extra) in series.items():
        write_series(folder / name, pixels, where, spacing, extra=extra)
    for name, where in (("times", doubled), ("frames", places[:4]), ("tilted", tilted)):
        write_enhanced(folder / f"{name}.dcm", pixels, where, spacing)
    write_enhanced(folder / "htj2k.dcm", pixels, places, spacing, syntax="1.2.840.10008.1.2.4.201")
    report = {0x00080016: "1.2.840.10008.5.1.4.1.1.88.11", 0x00080018: "1.2.9"}
    dicom_files.write(folder / "report.dcm", report)


def make_damaged_features(folder: Path) -> None:
    """Files of descriptors that were whole once."""
    frame = {"origin": (0.0, 0.0, 0.0), "spacing": (8.0, 8.0, 8.0), "direction": np.eye(3).ravel()}
    data, weights = np.ones((3, 3, 3, 16), np.int8), np.ones((3, 3, 3), np.float32)
    disa.FeatureVolume(data=data, scale=0.01, weights=weights, **frame).save(folder / "whole.disa")
    whole = (folder / "whole.disa").read_bytes()
    (folder / "short.disa").write_bytes(whole[:-9])
    (folder / "damaged.disa").write_bytes(whole[:300] + bytes([whole[300] ^ 4]) + whole[301:])
    (folder / "old.disa").write_bytes(whole[:7] + b"1" + whole[8:-4])


def make_damaged_transforms(folder: Path) -> None:
    """Transforms that ITK would crash at or misread, and fields of other tools."""
    sitk.WriteTransform(sitk.Euler3DTransform(), str(folder / "whole.tfm"))
    whole = (folder / "whole.tfm").read_text()
    changes = {
        "empty": "",
        "nan": whole.replace("Parameters: 0", "Parameters: nan", 1),
        "vast": whole.replace("Parameters: 0", "Parameters: 1e308", 1),
        "few": whole.replace("Parameters: 0 ", "Parameters: ", 1),
        "two": whole + whole.partition("\n")[2],
        "elastic": whole.replace("Euler3D", "Elastic"),
    }
    for name, text in changes.items():
        (folder / f"{name}.tfm").write_text(text)
    (folder / "numbers.mat").write_text("1  0  0  4\n0  1  0  5\n0  0  1  6\n0  0  0  1\n")
    (folder / "kernel.txt").write_text('(Transform "SplineKernelTransform")\n')
    (folder / "itself.txt").write_text(
        '(Transform "TranslationTransform")\n(TransformParameters 1 2 3)\n'
        '(InitialTransformParametersFileName "itself.txt")\n'
    )
    os.mkfifo(folder / "pipe.tfm")
    sitk.WriteTransform(sitk.TranslationTransform(3, (math.inf, 0.0, 0.0)), str(folder / "infinite.h5"))
    for ending in ("mat", "h5"):
        sitk.WriteTransform(sitk.Euler3DTransform(), str(folder / f"short.{ending}"))
        content = (folder / f"short.{ending}").read_bytes()
        (folder / f"short.{ending}").write_bytes(content[:-9])
    (folder / "grid.xfm").write_text(
        "MNI Transform File\nTransform_Type = Grid_Transform;\nDisplacement_Volume = a.mnc;\n"
    )
    places = ras_positions()
    write_field(folder / "positions.nii", places, 1007)
    write_field(folder / "grid.nii", places, 1007, "NREG_TRANS", 2)
    write_field(folder / "fsl.nii", 0 * places, 2006)
    write_field(folder / "nan.nii", np.full_like(places, np.nan), 1007)


def said(case: Case) -> str:
    """What came of it, a line. Raises AssertionError where it went well, or badly."""
    if callable(case.attempt):
        try:
            case.attempt()
        except disa.DISAError as error:
            return str(error)
        raise AssertionError(f"{case.what}: went well")
    before = sorted(os.listdir())
    ran = CliRunner().invoke(app, case.attempt.split())
    assert ran.exit_code in (1, 2), f"{case.what}: exit code {ran.exit_code}, {ran.output} {ran.exception!r}"
    assert ran.output == ran.stderr and ran.stderr.startswith("disa: "), f"{case.what}: {ran.output}"
    assert sorted(os.listdir()) == before, f"{case.what}: files were written"
    return ran.stderr.removeprefix("disa: ").rstrip("\n")


def page() -> str:
    """The page, as it is now."""
    lines = [HEAD]
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_files(Path(folder))
        for heading, cases in CASES.items():
            lines += [f"## {heading}", "", "| input | said |", "|---|---|"]
            for case in cases:
                line = said(case)
                assert line and "\n" not in line and folder not in line, line
                lines.append(f"| {case.what} | {line.replace('|', chr(92) + '|')} |")
            lines.append("")
        os.chdir(here)
    return "\n".join(lines)
