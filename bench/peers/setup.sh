#!/bin/sh
# Makes the Python environment of the peers: bench/peers/setup.sh VENV (a folder outside the repository).
set -eu
if [ $# -ne 1 ]; then
  echo "usage: $0 VENV    e.g. $0 ~/.venvs/iq-learn-peers" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
"${PYTHON:-python3}" -m venv "$1"
"$1/bin/python" -m pip install --quiet --requirement "$here/requirements.txt"
"$1/bin/python" -c 'import torch, jax, stable_baselines3, sbx; print("peers ready: torch", torch.__version__, "jax", jax.__version__, "stable-baselines3", stable_baselines3.__version__, "sbx", sbx.__version__)'
