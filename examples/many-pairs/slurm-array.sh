#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A job array of SLURM without dask: each task does its share of a table's pairs.
#     sbatch --array=0-19 slurm-array.sh pairs.csv out
#     disa cohort pairs.csv -o out        when all have ended: the summary, and what is left
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=04:00:00
set -euo pipefail
table=$1
output=$2
share=$(dirname "$table")/share-$SLURM_ARRAY_TASK_ID.csv # beside the table, for its paths are relative to it
awk -v task="$SLURM_ARRAY_TASK_ID" -v tasks="$SLURM_ARRAY_TASK_COUNT" 'NR == 1 || NR % tasks == task' "$table" > "$share"
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
disa cohort "$share" -o "$output"
