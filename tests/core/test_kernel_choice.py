"""Which kernel a process takes, and which it refuses."""

from __future__ import annotations

import platform

import pytest

from disa.core import _core
from helpers.fresh_python import run

KERNELS = _core.kernels()


def test_the_fastest_kernel_is_chosen_unless_one_is_named() -> None:
    assert KERNELS[-1] == "portable"
    assert chosen({}) == KERNELS[0]
    assert chosen({"DISA_KERNEL": ""}) == KERNELS[0]
    for name in KERNELS:
        assert chosen({"DISA_KERNEL": name}) == name


@pytest.mark.parametrize("name", ["AVX2", "sse", {"x86_64": "neon"}.get(platform.machine(), "avx2")])
def test_a_kernel_that_does_not_run_here_is_refused_in_one_line(name: str) -> None:
    message = run("from disa.core import _core; print(_core.kernel())", {"DISA_KERNEL": name}, "RegistrationError")
    assert message == (
        f'environment variable DISA_KERNEL: no kernel "{name}" in this build and on this processor; '
        f"choose from {', '.join(KERNELS)}"
    )


def chosen(environment: dict[str, str]) -> str:
    return run("from disa.core import _core; print(_core.kernel())", environment)
