# SPDX-License-Identifier: Apache-2.0
"""The documentation builds without a warning, asks for nothing, and describes what is public."""

from __future__ import annotations

import logging
import re
from dataclasses import fields
from html import escape
from pathlib import Path

import pytest

pytest.importorskip("material", reason="mkdocs-material is not installed: pip install '.[docs]'")
from mkdocs.commands.build import build
from mkdocs.config import load_config

import disa
from disa.deform.options import DeformOptions
from disa.deform.schedule import DeformSchedule
from disa.doors.settings import METRIC_SETTINGS
from disa.pose.options import PoseOptions, SearchOptions
from disa.pose.schedule import Schedule
from helpers.paths import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True)
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    config.plugins.on_startup(command="build", dirty=False)
    build(config)
    return folder


def test_every_public_name_is_described(site: Path) -> None:
    page = (site / "api.html").read_text()
    described = set(re.findall(r'<h\d id="disa\.(?:errors\.|_core\.)?(\w+)"', page))
    assert set(disa.__all__) <= described
    for name in ("DISAImageToImageMetricv4", "SetReorientationAngle", "ObjectToObjectMultiMetricv4"):
        assert name in page


def test_what_the_compiled_class_says_of_itself_is_shown(site: Path) -> None:
    page = (site / "api.html").read_text()
    assert "Sampling weights w(p)" in page and "(self: disa._core" not in page


def test_what_decorators_say_of_settings_is_shown(site: Path) -> None:
    page = (site / "api.html").read_text()
    for setting in METRIC_SETTINGS:
        assert page.count(escape(setting.meaning[1:].split(".")[0], quote=False)) >= (3 if setting.itk else 1)
    assert "{settings}" not in page


def test_options_and_schedules_are_described(site: Path) -> None:
    page = (site / "api.html").read_text()
    for kind in (PoseOptions, SearchOptions, DeformOptions, Schedule, DeformSchedule):
        assert f'id="{kind.__module__}.{kind.__name__}"' in page
        for field in fields(kind):
            assert re.search(rf"<code>(<span[^>]*>)?{field.name}(</span>)?</code>", page), field.name


def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    asks = re.compile(r"""(?:src|<link[^>]*href)=["']?(?:https?:)?//[^"'> ]*|url\(["']?(?:https?:)?//[^)]*""")
    found = {p.name: asks.findall(p.read_text()) for s in ("html", "css") for p in site.rglob(f"*.{s}")}
    assert len(found) > 15
    assert {name: what for name, what in found.items() if what} == {}


def test_every_command_is_described(site: Path) -> None:
    page = (site / "cli.html").read_text()
    for command in ("register", "apply", "evaluate", "doctor"):
        assert f'id="disa-{command}"' in page
    assert "--fixed-mask" in page


def test_what_pages_include_is_whole(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert "include-markdown" not in page.read_text(), page
    for page in ("index.html", "howto/simpleitk.html"):
        assert "SetMetricAsDISA" in (site / page).read_text()
    assert 'href="howto/itk.html"' in (site / "index.html").read_text()
    assert 'href="../benchmarks/results/deformations.html"' in (site / "howto" / "deformations.html").read_text()
