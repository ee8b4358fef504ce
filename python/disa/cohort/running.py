# SPDX-License-Identifier: Apache-2.0
"""The pairs of a cohort over the workers of dask.distributed."""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from distributed import Client, KilledWorker, LocalCluster, as_completed

from disa.cohort.work import Outcome, register_pair
from disa.errors import ConfigError
from disa.report.job import Request

PATIENCE = 15
"""Seconds to wait for a scheduler."""


@contextmanager
def client_of(scheduler: str | None, workers: int) -> Iterator[Client]:
    """A client of the scheduler at an address, or of a cluster of so many processes that ends with the block.

    Raises:
        ConfigError: the scheduler cannot be reached.
    """
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=PATIENCE)
        except (OSError, ValueError, asyncio.TimeoutError):
            raise ConfigError(
                f"--scheduler {scheduler}: no scheduler answers there; expected an address such as tcp://host:8786"
            ) from None
        with client:
            yield client
        return
    threads = str(max((os.cpu_count() or 1) // workers, 1))
    limits = {"OMP_NUM_THREADS": threads, "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": threads}
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address=None,
            env=limits,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def run_all(client: Client, requests: Mapping[str, Request], cohort: Path, retries: int) -> Iterator[Outcome]:
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
            yield Outcome(name, "its workers died again and again; is there memory enough? try fewer --workers", {})
        except Exception as error:  # noqa: BLE001 (whatever a job died of, the others go on)
            yield Outcome(name, f"{type(error).__name__}: {' '.join(str(error).split())}", {})
