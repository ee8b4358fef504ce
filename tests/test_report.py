"""The page that a registration leaves behind."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from disa.cli import app
from disa.report import Page, write_html
from disa.result import Optimum, RegistrationResult
from disa.slices import draw_planes

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def blobs(seed: int) -> sitk.Image:
    noise = sitk.GetImageFromArray(np.random.default_rng(seed).normal(size=(30, 36, 40)).astype(np.float32))
    noise.SetSpacing((2.0, 2.0, 2.5))
    return sitk.SmoothingRecursiveGaussian(noise, 5.0)


def result(value: float = -0.4, overlap: float = 0.9, rival: float = -0.1) -> RegistrationResult:
    transform = sitk.Euler3DTransform((30.0, 30.0, 30.0), 0.1, 0.0, 0.05, (4.0, 0.0, 2.0))
    optima = (Optimum(transform, -0.3), Optimum(sitk.Euler3DTransform(), rival))
    return RegistrationResult(transform, value, overlap, optima, 100, {"search": 0.5})


def page() -> str:
    texts = Page("b & <c> on a", "rigid", {"Result": [["value", -0.4]]})
    return write_html(texts, result(), blobs(1), blobs(1), sitk.Transform(3, sitk.sitkIdentity))


def test_each_plane_shows_its_slices_of_the_fixed_image() -> None:
    image = blobs(0)
    identity = sitk.Transform(3, sitk.sitkIdentity)
    planes = draw_planes(image, image, identity, identity)
    assert [plane.name for plane in planes] == ["axial", "coronal", "sagittal"]
    for plane in planes:
        assert set(plane.pictures) == {"fixed", "before", "after", "edges"}
        assert plane.pictures["fixed"] == plane.pictures["after"]
    axial = planes[0]
    assert axial.width / axial.height == pytest.approx(40 / 36, rel=0.02)


def test_doubts_are_said() -> None:
    assert result().doubts == []
    assert "40 %" in result(overlap=0.4).doubts[0]
    assert "agree little" in result(value=-0.1).doubts[0]
    assert "nearly as good" in result(rival=-0.29).doubts[0]
    shown = result(rival=-0.29)._repr_html_()
    assert "nearly as good" in shown and "Euler3DTransform" in shown and "90 %" in shown


def test_the_page_asks_for_nothing_and_escapes_names() -> None:
    text = page()
    assert "b &amp; &lt;c&gt; on a" in text
    assert not re.findall(r"https?://|src=\"(?!data:)|url\(", text)
    assert "default-src 'none'" in text


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_slider_moves_the_picture_in_a_browser(tmp_path: Path) -> None:
    probe = """<script>
    const set = (control, value) => { control.value = value; control.dispatchEvent(new Event("input")); };
    addEventListener("load", () => setTimeout(() => {
      const canvas = document.getElementById("axial"), seen = [];
      const look = () => seen.push(canvas.toDataURL());
      for (const value of [0, 100]) { set(swipe, value); look(); }
      for (const view of ["checker", "overlay", "fixed"]) { set(mode, view); look(); }
      edges.checked = false; set(edges, ""); look();
      set(document.querySelector("figure input"), 0); look();
      document.title = "different " + new Set(seen).size;
    }, 500));
    </script>"""
    path = tmp_path / "report.html"
    path.write_text(page().replace("</body>", probe + "</body>"))
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += ["--no-first-run", "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path}/profile"]
    command += ["--virtual-time-budget=5000", "--dump-dom", path.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "<title>different 7</title>" in shown.stdout, shown.stderr[-2000:]


def test_register_writes_everything_that_other_tools_read(tmp_path: Path) -> None:
    fixed = blobs(3)
    true = sitk.Euler3DTransform((40.0, 36.0, 37.0), 0.05, -0.04, 0.06, (5.0, -4.0, 3.0))
    moving = sitk.Resample(fixed, (46, 42, 40), true.GetInverse(), sitk.sitkLinear, (-5.0, -4.0, -6.0), (2.0, 2.0, 2.4))
    for name, image in (("fixed", fixed), ("moving", moving)):
        sitk.WriteImage(image, f"{tmp_path}/{name}.nii.gz")
    (tmp_path / "points.csv").write_text("x,y,z\n30,30,30\n50,40,40\n")
    moved = "\n".join(",".join(map(str, true.TransformPoint(p))) for p in ((30.0, 30.0, 30.0), (50.0, 40.0, 40.0)))
    (tmp_path / "moving.csv").write_text("x,y,z\n" + moved + "\n")
    command = ["register", f"{tmp_path}/fixed.nii.gz", f"{tmp_path}/moving.nii.gz", "-o", f"{tmp_path}/out"]
    command += ["--search", "local", "--fixed-landmarks", f"{tmp_path}/points.csv"]
    command += ["--moving-landmarks", f"{tmp_path}/moving.csv", "--json"]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 0, ran.output
    about = json.loads((tmp_path / "out" / "result.json").read_text())
    assert json.loads(ran.stdout) == about
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(about["files"])
    assert np.mean(about["landmark_errors_mm"]["after"]) < 1.5 < np.mean(about["landmark_errors_mm"]["before"])
    image = sitk.ReadImage(f"{tmp_path}/out/moved.nii.gz")
    assert image.GetSize() == fixed.GetSize()
    for name in ("transform.h5", "transform.tfm"):
        read = sitk.ReadTransform(f"{tmp_path}/out/{name}")
        np.testing.assert_allclose(read.GetParameters(), about["transform"]["parameters"], atol=1e-9)


def test_what_register_cannot_do_is_one_line_and_writes_nothing(tmp_path: Path) -> None:
    sitk.WriteImage(blobs(3), f"{tmp_path}/fixed.nii.gz")
    base = ["register", f"{tmp_path}/fixed.nii.gz", f"{tmp_path}/fixed.nii.gz", "-o", f"{tmp_path}/out"]
    for options, says in (
        (["--fixed-landmarks", "a.csv"], "give both"),
        (["--initial-transform", "none.tfm"], "none.tfm: no such file"),
        (["--fixed-mask", "none.nii.gz"], "none.nii.gz: no such file"),
    ):
        ran = CliRunner().invoke(app, [*base, *options])
        assert ran.exit_code == 1
        assert len(ran.output.splitlines()) == 1 and says in ran.output
        assert not (tmp_path / "out").exists()
