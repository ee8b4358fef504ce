# SPDX-License-Identifier: Apache-2.0
"""Marks of tests by where they are; further ones are on tests. What each means: pyproject.toml."""

from __future__ import annotations

from pathlib import Path, PurePath

from helpers.paths import TESTS

MARKS: dict[str, tuple[str, ...]] = {
    "benchmarks/test_cases.py": ("quick",),
    "benchmarks/test_fields_of_view.py": ("quick",),
    "benchmarks/test_runs.py": ("slow",),
    "benchmarks/test_starts.py": ("images",),
    "cli/test_app.py": ("quick",),
    "cli/test_apply.py": ("quick",),
    "cli/test_doctor.py": ("images",),
    "cli/test_evaluate.py": ("quick",),
    "cli/test_features.py": ("images",),
    "cli/test_info.py": ("quick",),
    "cli/test_one_line.py": ("quick",),
    "cli/test_register.py": ("images",),
    "cli/test_settings_file.py": ("quick",),
    "cohort": ("images",),
    "core": ("quick",),
    "core/test_kernel_choice.py": (),
    "core/test_pickled_features.py": (),
    "core/test_threads.py": (),
    "deform/test_constraints.py": ("images",),
    "deform/test_fields.py": ("quick",),
    "deform/test_flow.py": ("quick",),
    "deform/test_register.py": ("images",),
    "docs/test_blocks.py": ("images",),
    "doors/itk/test_deformable_pipelines.py": ("images",),
    "doors/itk/test_feature_smoothing.py": ("images",),
    "doors/itk/test_metric_kernels.py": ("slow",),
    "doors/itk/test_multi_metric.py": ("images",),
    "doors/itk/test_registration_method.py": ("images",),
    "doors/simpleitk/test_error_types.py": ("images",),
    "doors/simpleitk/test_interface.py": ("images",),
    "doors/simpleitk/test_method.py": ("images",),
    "doors/simpleitk/test_while_running.py": ("images",),
    "doors/test_slabs.py": ("images",),
    "examples": ("images",),
    "examples/test_demo.py": ("images", "slow"),
    "features": ("images",),
    "features/test_heat_map.py": ("quick",),
    "features/test_resampling.py": ("quick",),
    "geometry": ("quick",),
    "io": ("quick",),
    "io/test_result_folder.py": (),
    "io/test_transform_files.py": (),
    "io/test_writing.py": (),
    "network": ("images",),
    "network/test_models.py": ("quick",),
    "peers": ("images",),
    "pose/test_bad_input.py": ("quick",),
    "pose/test_confidence.py": ("images",),
    "pose/test_register.py": ("images",),
    "product/test_bad_inputs.py": ("images",),
    "product/test_mutants.py": ("images", "slow"),
    "product/test_without_itk.py": ("images",),
    "report/test_deformed.py": ("quick",),
    "report/test_layers.py": ("quick",),
    "report/test_page.py": ("quick",),
    "sealing": ("images",),
    "test_evaluation.py": ("quick",),
    "test_interrupts.py": ("quick",),
    "training/export/test_onnx_file.py": ("images",),
    "training/run/test_two_processes.py": ("slow",),
}
"""By folder or module below tests/; of several the longest path counts."""


def marks_of(path: Path) -> tuple[str, ...]:
    """The marks of every test in a module."""
    place = PurePath(path.relative_to(TESTS))
    for part in (place, *place.parents):
        if str(part) in MARKS:
            return MARKS[str(part)]
    return ()


def may_hold(mark: str, path: Path) -> bool:
    """Whether a folder or module may hold tests that have a mark by where they are."""
    place = path.relative_to(TESTS)
    below = any(mark in marks and PurePath(key).is_relative_to(place) for key, marks in MARKS.items())
    return mark in marks_of(path) or below
