# SPDX-License-Identifier: Apache-2.0
"""A registration by the command `disa` in a process of its own, so that Slicer's window stays alive.

Slicer brings an ITK of its own. The command runs in the environment that has this package, and the two never meet.
Python 3.9 will do, which some Slicers have.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FIXED, MOVING, OUT, LOG = "fixed.nrrd", "moving.nrrd", "out", "log.txt"
"""Names within a job's folder."""


class JobError(RuntimeError):
    """A registration that cannot be started, or has failed; one line for the user."""


class Job:
    """Files and process of one registration. Write the images to `fixed` and `moving`, then start it.

    Attributes:
        folder: of all its files; it is the job's own.
        fixed: where the fixed image is expected.
        moving: where the moving image is expected.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="disa-"))
        self.fixed, self.moving = self.folder / FIXED, self.folder / MOVING
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, program: str, environment: Mapping[str, str] | None = None) -> None:
        """Begin the registration and return at once.

        Args:
            program: path or name of the command `disa`.
            environment: of the process; None: that of this one.

        Raises:
            JobError: an image is not there, there is no such program, or it cannot be started.
        """
        for image in (self.fixed, self.moving):
            if not image.is_file():
                raise JobError(f"the {image.stem} volume could not be written to {self.folder}; is the disk full?")
        found = shutil.which(os.path.expanduser(program.strip()))
        if found is None:
            raise JobError(f"{program or 'disa'}: no such program; give the path of disa, such as ENV/bin/disa")
        command = [found, "register", str(self.fixed), str(self.moving), "-o", str(self.folder / OUT)]
        with (self.folder / LOG).open("wb") as log:
            try:
                self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            except OSError as problem:
                raise JobError(f"{found}: cannot be started: {problem.strerror}") from None

    @property
    def is_running(self) -> bool:
        """Whether the process has begun and not ended."""
        return self._process is not None and self._process.poll() is None

    def result(self) -> dict[str, Any]:
        """What `result.json` says, once the process has ended.

        Raises:
            JobError: it failed; the message is the command's last line.
        """
        code = None if self._process is None else self._process.wait()
        if code != 0:
            lines = (self.folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
            said = [line.strip() for line in lines if line.strip()]
            raise JobError(said[-1] if said else f"disa ended with exit code {code} and said nothing")
        found: dict[str, Any] = json.loads((self.folder / OUT / "result.json").read_text(encoding="utf-8"))
        return found

    @property
    def transform(self) -> Path:
        """From fixed to moving points, mm, LPS, as Slicer reads it."""
        return self.folder / OUT / "transform.h5"

    def stop(self) -> None:
        """End the process, if it runs, and wait until it has ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def remove(self) -> None:
        """End the process and delete all its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def summary_of(found: Mapping[str, Any]) -> str:
    """What a result says, for people: confidence, overlap and doubts, a line each."""
    sure = found["confidence"]
    lines = [
        "confidence: unknown" if sure is None else f"confidence: {100 * sure:.0f} %",
        f"overlap: {100 * found['overlap']:.0f} %",
    ]
    doubts = [f"doubtful: {doubt}" for doubt in found["doubts"]]
    return "\n".join(lines + (doubts or ["nothing speaks against it; look at it nevertheless"]))
