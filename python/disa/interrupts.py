# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while SimpleITK calls back into Python."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk


@contextmanager
def aborting(process: sitk.ProcessObject) -> Iterator[None]:
    """Within the block Ctrl-C aborts a filter, and `KeyboardInterrupt` follows once that has stopped.

    Python's own handler would raise inside whatever command the filter calls, which SimpleITK prints and turns into a
    `RuntimeError`. Only in the main thread, and where no other handler is set.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    interrupted = False

    def abort(*_: object) -> None:
        nonlocal interrupted
        interrupted = True
        process.Abort()

    signal.signal(signal.SIGINT, abort)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if interrupted:
            raise KeyboardInterrupt from None
