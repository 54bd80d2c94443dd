#!/usr/bin/env bash
# Everything about learning on a GPU in one go: fetches the libraries, makes the peers' Python environment, compares the
# GPU's results with the CPU's, and measures an update beside PyTorch and JAX on the same GPU.
#
#   bash bench/gpu/run.sh VENV RESULT.json [options of npm run bench -- gpu]
#   bash bench/gpu/run.sh none result.json --device cpu-bound --cases recipe --rounds 1 --block 8    # a trial, anywhere
#
# VENV is a folder outside the repository, made where it does not exist; `none` leaves the peers out.
set -euo pipefail

if [ $# -lt 2 ]; then
  sed -n '2,8p' "$0" | cut -c3- >&2
  exit 2
fi
venv=$1
result=$2
shift 2
cd "$(dirname "$0")/../.."

case " $* " in
  *' cpu-bound '*) ;;
  *) bash scripts/setup-cuda.sh ;;
esac
peers=(--no-peers)
if [ "$venv" != none ]; then
  if [ ! -x "$venv/bin/python" ]; then
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --requirement bench/gpu/requirements.txt
  fi
  peers=(--peers "$venv")
  # JAX would take most of the GPU's memory for itself.
  export XLA_PYTHON_CLIENT_PREALLOCATE=false
fi
npm run --silent build
node dist/src/cli/main.js devices
node dist/bench/run.js gpu "${peers[@]}" "$@" --json "$result"
