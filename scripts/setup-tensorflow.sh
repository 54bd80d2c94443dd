#!/usr/bin/env bash
# Builds @tensorflow/tfjs-node (CPU) against the libtensorflow inside PyPI's tensorflow-cpu wheel, so that the eager
# executor can be verified on the `tensorflow` backend where tfjs-node's own download is not reachable.
#
#   scripts/setup-tensorflow.sh FOLDER
#   IQ_LEARN_TENSORFLOW=FOLDER npx vitest run test/engine    # compares the onnx executor with it, too
#
# Needs Python 3 with pip, a C++ compiler and make, and about 2 GB in FOLDER (outside this repository).
set -euo pipefail

if [ $# -ne 1 ]; then
  echo "usage: $0 FOLDER" >&2
  exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$folder"

wheel=$(ls tensorflow_cpu-*.whl 2>/dev/null | head -n 1 || true)
if [ -z "$wheel" ]; then
  python3 -m pip download --quiet --no-deps --only-binary :all: --dest . tensorflow-cpu
  wheel=$(ls tensorflow_cpu-*.whl | head -n 1)
fi
[ -d tensorflow ] || python3 -m zipfile -e "$wheel" .

[ -f package.json ] || echo '{ "private": true }' > package.json
npm install --no-audit --no-fund --ignore-scripts @tensorflow/tfjs-node@4.22.0

package=$folder/node_modules/@tensorflow/tfjs-node
mkdir -p "$package/deps/lib"
ln -sfn "$folder/tensorflow/include" "$package/deps/include"
ln -sf "$folder/tensorflow/libtensorflow_cc.so.2" "$package/deps/lib/libtensorflow.so"
ln -sf "$folder/tensorflow/libtensorflow_framework.so.2" "$package/deps/lib/libtensorflow_framework.so"
ln -sf "$folder/tensorflow/libtensorflow_cc.so.2" "$package/deps/lib/libtensorflow_cc.so.2"
ln -sf "$folder/tensorflow/libtensorflow_framework.so.2" "$package/deps/lib/libtensorflow_framework.so.2"

cd "$package"
npx --yes node-gyp rebuild --module_name=tfjs_binding --module_path="$package/lib/napi-v8" --napi_build_version=8
node -e "
  const tf = require('$package');
  console.log('tfjs-node', tf.version['tfjs-node'] ?? tf.version_core, 'on', tf.getBackend(), tf.sum(tf.ones([3])).dataSync()[0]);
"
