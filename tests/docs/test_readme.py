# SPDX-License-Identifier: Apache-2.0
"""The README's two pipelines run as they are written, and end right."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk

from helpers.displaced import displaced_images, error_of
from helpers.paths import ROOT


def block_with(text: str) -> str:
    """The one Python block of the README that holds a text."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (block,) = (block for block in blocks if text in block)
    return block


@pytest.mark.parametrize("door", ["itk.ImageRegistrationMethodv4", "disa.ImageRegistrationMethod"])
def test_a_pipeline_of_the_readme_brings_images_together(door: str, tmp_path: Path) -> None:
    fixed, moving, centre = displaced_images()
    sitk.WriteImage(fixed, str(tmp_path / "mr_t1.nii.gz"))
    sitk.WriteImage(moving, str(tmp_path / "ct.nii.gz"))
    command = [sys.executable, "-c", block_with(door)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("value -")
    assert error_of(sitk.ReadTransform(str(tmp_path / "fixed_to_moving.tfm")), centre) < 1.0
