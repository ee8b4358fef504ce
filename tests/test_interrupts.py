# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while a filter of SimpleITK runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest
import SimpleITK as sitk

from disa.geometry.applying import resampled
from disa.interrupts import aborting
from disa.progress import told_to


def interrupt(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def of_the_terminal() -> Iterator[None]:
    """A shell that runs the tests in the background ignores the signal; what was set comes back."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_from_within_a_progress_command_stays_one(capfd: pytest.CaptureFixture[str]) -> None:
    image = sitk.Image([32, 32, 32], sitk.sitkFloat32)
    with told_to(interrupt), pytest.raises(KeyboardInterrupt):
        resampled(image, image, sitk.Transform())
    assert capfd.readouterr().err == ""
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_stops_the_filter() -> None:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
    method.SetOptimizerAsGradientDescent(learningRate=1e-9, numberOfIterations=1000, convergenceMinimumValue=0)
    method.SetInitialTransform(sitk.TranslationTransform(3))
    method.AddCommand(sitk.sitkIterationEvent, lambda: interrupt() if method.GetOptimizerIteration() == 2 else None)
    image = sitk.GaussianSource(sitk.sitkFloat32, [16, 16, 16], mean=[8, 8, 8], sigma=[4, 4, 4])
    with pytest.raises(KeyboardInterrupt), aborting(method):
        method.Execute(image, image)
    assert method.GetOptimizerIteration() < 500


def test_another_thread_and_another_handler_keep_theirs() -> None:
    seen: list[object] = []

    def look() -> None:
        with aborting(sitk.ResampleImageFilter()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    signal.signal(signal.SIGINT, handler := lambda *_: None)
    look()
    assert seen == [signal.default_int_handler, handler]
