#!/bin/sh
# Makes the Python environment of the tests: sh scripts/setup-python.sh [FOLDER]
# FOLDER: the argument, else $IQ_LEARN_PYTHON_VENV, else .venv-test of the project. Run again, it only checks.
set -eu
# The packages of a ROS 2 that is sourced would count as installed, and be missing where none is.
unset PYTHONPATH
root=$(cd "$(dirname "$0")/.." && pwd)
venv=${1:-${IQ_LEARN_PYTHON_VENV:-$root/.venv-test}}
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; set PYTHON")'
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$root/test/requirements.txt"
"$venv/bin/python" -c 'import google.protobuf, gymnasium, mcap_ros2, numpy, onnxruntime, paho.mqtt.client, rosbags, tensorboard'
echo "$venv is ready"
