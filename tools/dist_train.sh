#!/usr/bin/env bash
# Train on several GPUs (or CPU processes) of one machine: dist_train.sh CONFIG PROCESSES [ARGS]
set -euo pipefail
config=$1
processes=$2
exec torchrun --standalone --nproc_per_node="$processes" \
    "$(dirname "$0")/train.py" "$config" --launcher pytorch "${@:3}"
