"""Options as keyword arguments are those of the option types, and wrong names are refused in one line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from typing import Any, get_type_hints

import pytest

import disa
from disa.deform.options import DeformOptions, DeformSettings
from disa.pose.options import PoseOptions, PoseSettings, SearchOptions, SearchSettings
from disa.pose.schedule import SCHEDULE, Draw, Schedule

PAIRS = [(PoseOptions, PoseSettings), (SearchOptions, SearchSettings), (DeformOptions, DeformSettings)]
FUNCTIONS = [disa.register, disa.global_register, disa.deformable_register]


@pytest.mark.parametrize(("options", "settings"), PAIRS)
def test_keyword_arguments_are_the_fields_of_the_options(options: type, settings: type) -> None:
    assert get_type_hints(settings) == {field.name: get_type_hints(options)[field.name] for field in fields(options)}


@pytest.mark.parametrize("register", FUNCTIONS)
def test_an_unknown_option_is_refused_in_one_line_with_the_known_ones(register: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=rf"^{register.__name__}: no option 'spacings'; the options are .*spacing") as e:
        register("a.nii.gz", "b.nii.gz", spacings=2.0)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("register", FUNCTIONS)
def test_no_public_function_takes_more_than_a_dozen_parameters(register: Callable[..., Any]) -> None:
    assert len(inspect.signature(register).parameters) <= 12


def test_options_are_checked_when_they_are_made_and_cannot_be_changed() -> None:
    options = SearchOptions(starts=10)
    with pytest.raises(disa.RegistrationError, match=r"^stride: expected 4, 2 or 1, got 3$"):
        replace(options, stride=3)
    with pytest.raises(FrozenInstanceError):
        options.starts = 20  # type: ignore[misc]


def test_keyword_arguments_go_before_options() -> None:
    with pytest.raises(disa.RegistrationError, match=r"^starts: expected 1 or more, got 0$"):
        disa.global_register("a.nii.gz", "b.nii.gz", options=SearchOptions(starts=5), starts=0)


def test_every_number_of_the_schedule_is_described() -> None:
    text = inspect.getdoc(Schedule) or ""
    assert [field.name for field in fields(Schedule) if f"{field.name}:" not in text] == []
    assert is_dataclass(SCHEDULE) and replace(SCHEDULE, explored=Draw(1, 0.0, 0.0)) != SCHEDULE
