# SPDX-License-Identifier: Apache-2.0
"""The page in a browser, which is started once: sides are where the letters say, and controls change what is drawn."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from disa.report.display import Pair
from disa.report.page import page_of, write_html
from disa.report.view import draw
from helpers.painted import STORED, painted
from helpers.reports import record

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

WRITTEN = """<script>
const texts = new Map(), { fillRect } = CanvasRenderingContext2D.prototype;
Object.assign(CanvasRenderingContext2D.prototype, {
  fillText(text, x, y) {
    if (!texts.has(this.canvas)) texts.set(this.canvas, {});
    texts.get(this.canvas)[text] = [x, y];
  },
  strokeText() {},
  fillRect(x, y, width, height) { if (height > 5) fillRect.call(this, x, y, width, height); },
});
</script>"""
"""Keeps what is written on each canvas, and where, in place of drawing it; nor is the scale bar drawn."""

PROBE = """<script>
const change = (control, value) => {
  if (control.type === "checkbox" || control.type === "radio") control.click(); else control.value = value;
  for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind));
};
const press = (target, key) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
function halves(canvas) { // brightness of each half
  const { width, height } = canvas, { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const sums = { left: 0, right: 0, top: 0, bottom: 0 };
  for (let y = 0, i = 0; y < height; ++y) for (let x = 0; x < width; ++x, i += 4) {
    sums[x < width / 2 ? "left" : "right"] += data[i];
    sums[y < height / 2 ? "top" : "bottom"] += data[i];
  }
  return sums;
}
function look() {
  return Object.fromEntries(["axial", "coronal", "sagittal"].map(name => {
    const canvas = document.getElementById(name), letters = {};
    for (const [text, [x, y]] of Object.entries(texts.get(canvas))) {
      if (!/^[RLAPSI]$/.test(text)) continue;
      const right = x - canvas.clientWidth / 2, down = y - canvas.clientHeight / 2;
      letters[text] = Math.abs(right) > Math.abs(down) ? (right < 0 ? "left" : "right") : (down < 0 ? "top" : "bottom");
    }
    return [name, { letters, halves: halves(canvas) }];
  }));
}
function modes() {
  const axial = document.getElementById("axial"), seen = [];
  const look = (also = "") => seen.push(axial.toDataURL() + also);
  const lookAtSlice = () => look(axial.getAttribute("aria-label"));
  look();
  for (const mode of document.querySelectorAll("input[name=mode]:not(:checked)")) { change(mode); look(); }
  press(document.body, "3"); change(swipe, 90); look();
  press(document.body, "5"); change(share, 80); look();
  for (const name of ["pose", "edges", "cross", "grid", "determinant", "disagreement"]) {
    change(document.getElementById(name), "before");
    look();
  }
  document.getElementById("zoom-in").click(); look();
  press(axial, "PageUp"); lookAtSlice(); // the phantom is the same in many slices
  press(axial, "ArrowRight"); change(document.getElementById("cross")); look();
  axial.dispatchEvent(new WheelEvent("wheel", { deltaY: -100, cancelable: true })); lookAtSlice();
  change(document.querySelector("figure input"), 0); lookAtSlice();
  return { first: seen.map(one => seen.indexOf(one)), label: axial.getAttribute("aria-label"),
           coronalAt: document.querySelectorAll("figure input")[1].getAttribute("aria-valuetext") };
}
function clickOnBrightest() { // of the axial picture; where the sagittal slices are then
  const canvas = document.getElementById("axial"), { width, height } = canvas, sums = new Array(width).fill(0);
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  for (let i = 0; i < data.length; i += 4) sums[i / 4 % width] += data[i];
  const bright = sums.flatMap((sum, x) => sum > 0.9 * Math.max(...sums) ? [x] : []);
  const middle = bright[bright.length >> 1], box = canvas.getBoundingClientRect();
  const clientX = box.left + middle * box.width / width, clientY = box.top + box.height / 2;
  canvas.setPointerCapture = () => {};
  canvas.dispatchEvent(new PointerEvent("pointerdown", { clientX, clientY, buttons: 1 }));
  canvas.dispatchEvent(new PointerEvent("pointerup"));
  return document.querySelectorAll("figure input")[2].getAttribute("aria-valuetext");
}
new MutationObserver(() => {
  if (document.body.dataset.state !== "ready") return;
  for (const name of ["edges", "cross"]) change(document.getElementById(name));
  const radiological = look();
  change(document.getElementById("convention"), "neurological");
  const neurological = look();
  change(document.getElementById("convention"), "radiological");
  const clicked = clickOnBrightest();
  for (const name of ["edges", "cross"]) change(document.getElementById(name));
  const name = location.hash.slice(1), seen = { name, radiological, neurological, clicked };
  if (window.name) seen.modes = modes();
  parent.postMessage(seen, "*");
}).observe(document.body, { attributes: true, attributeFilter: ["data-state"] });
</script>"""

FRAMES = """<title></title><body><script>
const seen = {};
addEventListener("message", ({ data }) => {
  seen[data.name] = data;
  if (Object.keys(seen).length === COUNT) document.title = JSON.stringify(seen);
});
</script>"""


def report(stored: str) -> str:
    """The page of the phantom and of itself, moved and stored otherwise, with a deformation."""
    vectors = np.zeros((6, 6, 6, 3))
    vectors[2:4, 2:4, 2:4] = 8.0
    nodes = sitk.GetImageFromArray(vectors, isVector=True)
    nodes.SetSpacing((14.0, 14.0, 14.0))
    nodes.SetOrigin((-35.0, -35.0, -35.0))
    before, after = (sitk.TranslationTransform(3, (mm, 0.0, 0.0)) for mm in (6.0, 2.0))
    apart = painted(stored) * 0.0 + 6.0
    pair = Pair(painted(stored), painted("LPS"), before, after, sitk.DisplacementFieldTransform(nodes), apart)
    return write_html(page_of(stored, record(pair), []), draw(pair))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page of each phantom shows, by how it is stored."""
    folder = tmp_path_factory.mktemp("pages")
    frames = FRAMES.replace("COUNT", str(len(STORED)))
    for stored in STORED:
        text = report(stored).replace("<header>", f"{WRITTEN}<header>").replace("</body>", f"{PROBE}</body>")
        (folder / f"{stored}.html").write_text(text)
        name = ' name="modes"' if stored == "LPS" else ""
        frames += f'<iframe src="{stored}.html#{stored}" width="1000" height="700"{name}></iframe>'
    path = folder / "all.html"
    path.write_text(frames)
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += ["--no-first-run", "--disable-component-update", "--disable-sync", f"--user-data-dir={folder}/profile"]
    command += ["--virtual-time-budget=20000", "--dump-dom", path.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    title = re.search("<title>(.*?)</title>", shown.stdout)
    assert title and title[1], shown.stderr[-2000:] + shown.stdout[-2000:]
    found: dict[str, Any] = json.loads(html.unescape(title[1]))
    return found


def brighter(halves: dict[str, float], one: str, other: str) -> str:
    return one if halves[one] > halves[other] else other


@pytest.mark.parametrize("stored", STORED)
def test_walls_are_where_the_letters_say(seen: dict[str, Any], stored: str) -> None:
    """The wall on the right is brightest, then the one at the front, then that at the head."""
    for convention, right in (("radiological", "left"), ("neurological", "right")):
        panels = seen[stored][convention]
        for plane in ("axial", "coronal"):
            letters, halves = panels[plane]["letters"], panels[plane]["halves"]
            assert letters["R"] == right == brighter(halves, "left", "right")
            assert letters["L"] != letters["R"]
        axial, coronal, sagittal = (panels[plane] for plane in ("axial", "coronal", "sagittal"))
        assert axial["letters"]["A"] == "top" == brighter(axial["halves"], "top", "bottom")
        assert coronal["letters"]["S"] == "top" == brighter(coronal["halves"], "top", "bottom")
        assert sagittal["letters"]["S"] == "top" == brighter(sagittal["halves"], "top", "bottom")
        assert sagittal["letters"]["A"] == "left" == brighter(sagittal["halves"], "left", "right")
        assert set(axial["letters"]) == set("RLAP") and set(sagittal["letters"]) == set("APSI")


@pytest.mark.parametrize("stored", STORED)
def test_a_click_on_the_wall_on_the_right_leads_the_other_panels_there(seen: dict[str, Any], stored: str) -> None:
    side, mm = seen[stored]["clicked"].split()[:2]
    assert side == "R" and 24 < float(mm) < 31


def test_every_control_changes_the_picture(seen: dict[str, Any]) -> None:
    modes = seen["LPS"]["modes"]
    assert modes["first"] == list(range(19))  # each differs from all before
    assert "axial slice at I 19.0 mm" in modes["label"] and "fixed and moving (before)" in modes["label"]
    assert modes["coronalAt"] == "P 0.0 mm, 25 of 49"
