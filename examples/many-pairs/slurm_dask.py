# SPDX-License-Identifier: Apache-2.0
"""A dask scheduler on this machine, and its workers as jobs of SLURM, for `disa cohort --scheduler`.

    python slurm_dask.py cert.pem key.pem --jobs 20

Prints the job script, then the command to type, and holds the workers until Ctrl-C. Needs `pip install dask-jobqueue`,
the package on all nodes, and a file system that all nodes share, with the certificate on it.
"""

from __future__ import annotations

import argparse
import signal

from dask_jobqueue import SLURMCluster
from distributed import Security


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("certificate")
    parser.add_argument("key")
    parser.add_argument("--jobs", type=int, default=1, help="of SLURM, each does a pair at a time")
    parser.add_argument("--cores", type=int, default=4, help="of each job")
    parser.add_argument("--memory", default="8GB", help="of each job")
    parser.add_argument("--walltime", default="04:00:00", help="of each job")
    arguments = parser.parse_args()
    certificate, key = arguments.certificate, arguments.key
    sides = {
        f"tls_{side}_{part}": path
        for side in ("scheduler", "worker", "client")
        for part, path in (("cert", certificate), ("key", key))
    }
    cluster = SLURMCluster(
        cores=1,  # threads of a worker: one pair at a time, on all cores of its job
        job_cpu=arguments.cores,
        processes=1,
        memory=arguments.memory,
        walltime=arguments.walltime,
        protocol="tls://",
        security=Security(tls_ca_file=certificate, require_encryption=True, **sides),
        scheduler_options={"dashboard": False},
        job_script_prologue=[f"export OMP_NUM_THREADS={arguments.cores}"],
    )
    print(cluster.job_script())
    cluster.scale(jobs=arguments.jobs)
    print(f"disa cohort pairs.csv -o out --scheduler {cluster.scheduler_address}", flush=True)
    with cluster:
        signal.pause()


if __name__ == "__main__":
    main()
