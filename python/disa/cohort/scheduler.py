# SPDX-License-Identifier: Apache-2.0
"""The pairs of a cohort over the workers of a dask scheduler that runs somewhere."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from distributed import Client, KilledWorker, as_completed

from disa.cohort.work import Outcome, died, register_pair, unforeseen
from disa.errors import ConfigError
from disa.report.job import Request

PATIENCE = 15
"""Seconds to wait for a scheduler."""


@contextmanager
def client_of(scheduler: str) -> Iterator[Client]:
    """A client of the scheduler at an address; of one at tls://, with the certificates of dask's own settings.

    Raises:
        ConfigError: the scheduler cannot be reached.
    """
    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError, TypeError, asyncio.TimeoutError):
        raise ConfigError(
            f"--scheduler {scheduler}: no scheduler answers there; expected an address such as tls://host:8786, "
            "and for it the certificates in dask's settings"
        ) from None
    with client:
        yield client


def run_scheduled(client: Client, requests: Mapping[str, Request], cohort: Path, retries: int) -> Iterator[Outcome]:
    """The outcome of each pair, as they come; a pair whose worker dies goes to another one.

    Args:
        client: to the workers, which share a file system with this process.
        requests: by the pair's name.
        cohort: folder of the whole cohort.
        retries: of a pair that fails by something that this package does not foresee.
    """
    run = uuid.uuid4().hex
    names = {}
    for name, request in requests.items():
        key = f"{name}-{run}"
        future = client.submit(register_pair, name, request, cohort, key=key, retries=retries, pure=False)
        names[future] = name
    for future in as_completed(list(names)):
        name = names[future]
        try:
            yield future.result()
        except KilledWorker:
            yield died(name)
        except Exception as error:  # noqa: BLE001 (whatever a job died of, the others go on)
            yield unforeseen(name, error)
