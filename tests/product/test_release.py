# SPDX-License-Identifier: Apache-2.0
"""What is said in several places of a release is said alike in all of them."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

import disa
from disa.doors import itk_wheel
from helpers.paths import ROOT

tomllib = pytest.importorskip("tomllib", reason="Python has it since 3.11")


def project() -> dict[str, object]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def test_the_recipe_for_conda_asks_for_the_same_versions() -> None:
    recipe = (ROOT / "packaging" / "conda" / "meta.yaml").read_text()
    run = recipe.partition("  run:\n")[2].partition("\ntest:")[0]
    asked = {line.strip("- ").replace(" ", "") for line in run.splitlines() if line.strip()} - {"python"}
    settings = project()
    extras = settings["optional-dependencies"]
    wanted = [*settings["dependencies"], *extras["cpu"], *extras["itk"]]
    assert asked == {requirement.lower() for requirement in wanted}
    assert f'version = "{disa.__version__}"' in recipe


def test_the_least_itk_is_one() -> None:
    least = f"5.4.{itk_wheel.LEAST_ITK_PATCH}"
    assert f"itk>={least},<5.5" in project()["optional-dependencies"]["itk"]
    assert f"VERSION_LESS {least} " in (ROOT / "cmake" / "ITKWheel.cmake").read_text()


def test_what_brings_itk_brings_the_same() -> None:
    extras = project()["optional-dependencies"]
    asked = {package for wanted in extras.values() for package in wanted if re.match(r"itk\b(?!-disa)", package)}
    assert asked == {*extras["itk"]}
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert asked <= {*tomllib.load(file)["build-system"]["requires"]}


def test_metadata_of_archives_agree() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    zenodo = json.loads((ROOT / ".zenodo.json").read_text())
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == disa.__version__
    assert re.search(r"^license: (.+)$", citation, re.MULTILINE)[1] == zenodo["license"] == project()["license"]
    assert zenodo["related_identifiers"][0]["identifier"] in citation


def test_the_changes_of_a_release_are_one_section() -> None:
    said = subprocess.run([ROOT / ".ci" / "changes"], capture_output=True, text=True, check=True).stdout
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert said in changelog and said.count("\n## ") == 0 and said.startswith("## ") and len(said.splitlines()) > 3
