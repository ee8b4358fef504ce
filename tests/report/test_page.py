# SPDX-License-Identifier: Apache-2.0
"""The page that a registration leaves behind."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import SimpleITK as sitk

from disa.pose.confidence import Evidence
from disa.pose.result import Optimum, RegistrationResult
from disa.report.page import Page, write_html
from disa.report.slices import draw_planes
from helpers.images import smooth_noise

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


GOOD = Evidence(value=-0.2, overlaps=(0.9, 0.8), contrast=5.0, rival=0.0)
BAD = Evidence(value=-0.03, overlaps=(0.3, 0.1), contrast=2.5, rival=0.98)


def result(evidence: Evidence = GOOD) -> RegistrationResult:
    transform = sitk.Euler3DTransform((30.0, 30.0, 30.0), 0.1, 0.0, 0.05, (4.0, 0.0, 2.0))
    optima = (Optimum(transform, -0.3), Optimum(sitk.Euler3DTransform(), -0.1))
    return RegistrationResult(transform, -0.4, 0.9, optima, 100, {"search": 0.5}, evidence=evidence)


def page() -> str:
    curves = {"metric": [(-0.1, -0.3, -0.35), (-0.4, -0.41)]}
    texts = Page("b & <c> on a", "rigid", [], {"Result": [["value", -0.4]]}, curves=curves)
    image = smooth_noise(1)
    return write_html(texts, image, image, sitk.Transform(3, sitk.sitkIdentity), result().transform)


def test_each_plane_shows_its_slices_of_the_fixed_image() -> None:
    image = smooth_noise(0)
    identity = sitk.Transform(3, sitk.sitkIdentity)
    planes = draw_planes(image, image, identity, identity)
    assert [plane.name for plane in planes] == ["axial", "coronal", "sagittal"]
    for plane in planes:
        assert set(plane.pictures) == {"fixed", "before", "after", "edges"}
        assert plane.pictures["fixed"] == plane.pictures["after"]
    axial = planes[0]
    assert axial.width / axial.height == pytest.approx(40 / 36, rel=0.02)


def test_a_thin_slab_is_drawn() -> None:
    image = smooth_noise(0)[:, :, 14:16]
    identity = sitk.Transform(3, sitk.sitkIdentity)
    image.SetSpacing((2.0, 2.0, 0.5))
    axial, coronal, _ = draw_planes(image, image, identity, identity)
    assert coronal.height < 4 < axial.height and coronal.pictures["fixed"] != coronal.pictures["edges"]


def test_doubts_are_said() -> None:
    assert result().doubts == []
    (doubt,) = result(BAD).doubts
    assert "probability" in doubt
    shown = result(BAD)._repr_html_()
    assert "probability" in shown and "confidence" in shown and "Euler3DTransform" in shown and "90 %" in shown


def test_the_page_asks_for_nothing_and_escapes_names() -> None:
    text = page()
    assert "b &amp; &lt;c&gt; on a" in text
    assert text.count("<polyline") == 2 and "-0.4100" in text
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
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "<title>different 7</title>" in shown.stdout, shown.stderr[-2000:]
