#!/usr/bin/env bash
# Train on a Slurm cluster: slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [ARGS]
# GPUS (8) and GPUS_PER_NODE (8) come from the environment.
set -euo pipefail
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-8}
exec srun -p "$1" --job-name="$2" --gres="gpu:$per_node" --ntasks="$gpus" \
    --ntasks-per-node="$per_node" --kill-on-bad-exit=1 \
    python -u "$(dirname "$0")/train.py" "$3" --work-dir "$4" --launcher slurm "${@:5}"
