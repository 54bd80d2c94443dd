#!/usr/bin/env bash
# Makes a folder with what the onnx-cuda executor needs on a Linux x64 machine with an NVIDIA GPU, from PyPI wheels:
# onnxruntime's CUDA provider (onnxruntime-gpu, exactly the version of the installed onnxruntime-node) and the CUDA 13
# libraries that it links with. Nothing is installed outside the folder, and CUDA itself need not be installed.
#
#   bash scripts/setup-cuda.sh            into ~/.cache/iq_learn/cuda, where iq_learn looks for it
#   bash scripts/setup-cuda.sh FOLDER     then set IQ_LEARN_CUDA=FOLDER
#   npx iq-learn devices                  says whether the GPU can be used, and if not, why
#
# Needs Python 3 with pip and about 3 GB in the folder while it runs. It can be run again: what is there is kept.
set -euo pipefail

if [ $# -gt 1 ] || [ "${1:-}" = --help ]; then
  sed -n '2,10p' "$0" | cut -c3- >&2
  exit 2
fi
folder=${1:-${IQ_LEARN_CUDA:-${XDG_CACHE_HOME:-$HOME/.cache}/iq_learn/cuda}}
here=$(cd "$(dirname "$0")/.." && pwd)
fail() { echo "setup-cuda: $*" >&2; exit 1; }

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "found $(uname -s) on $(uname -m); the libraries exist for Linux on x86_64 only"
ort=$(cd "$here" && node -p "require.resolve('onnxruntime-node/package.json')" 2>/dev/null) || fail "onnxruntime-node is not installed: run 'npm ci' first"
version=$(node -p "require('$ort').version")
core=$(dirname "$ort")/bin/napi-v6/linux/x64/libonnxruntime.so.1
[ -f "$core" ] || fail "$core is missing: run 'npm ci' again"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
if [ -f "$folder/versions.json" ]; then
  made=$(node -p "require('$folder/versions.json').onnxruntime")
  [ "$made" = "$version" ] || fail "$folder was made for onnxruntime $made, but onnxruntime-node is $version: give another folder, or remove this one"
fi

if [ ! -d "$folder/wheels/onnxruntime_gpu-$version.dist-info" ]; then
  rm -rf "$folder/wheels" "$folder/wheels.new"
  "${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target "$folder/wheels.new" \
    "onnxruntime-gpu==$version" \
    'nvidia-cuda-runtime>=13,<14' 'nvidia-cublas>=13,<14' 'nvidia-curand>=10,<11' 'nvidia-cufft>=12,<13' 'nvidia-cudnn-cu13>=9,<10'
  mv "$folder/wheels.new" "$folder/wheels"
fi

# One folder for all: onnxruntime looks for its providers beside itself.
rm -rf "$folder/lib.new"
mkdir "$folder/lib.new"
cp "$core" "$folder/lib.new/"
for library in "$folder"/wheels/onnxruntime/capi/libonnxruntime_providers_{shared,cuda}.so; do
  ln -s "../${library#"$folder"/}" "$folder/lib.new/"
done
while IFS= read -r library; do
  ln -s "../${library#"$folder"/}" "$folder/lib.new/"
done < <(find "$folder/wheels/nvidia" -name 'lib*.so*' -type f)
for library in libcudart.so.13 libcublasLt.so.13 libcublas.so.13 libcurand.so.10 libcufft.so.12 libcudnn.so.9; do
  [ -e "$folder/lib.new/$library" ] || fail "the wheels have no $library"
done

# Both sides name the commit that they were built from.
commit() { grep -aom1 'git-commit-id=[0-9a-f]*' "$1" || echo 'no git-commit-id'; }
ours=$(commit "$core")
theirs=$(commit "$(ls "$folder"/wheels/onnxruntime/capi/onnxruntime_pybind11_state*.so)")
[ "$ours" = "$theirs" ] || fail "onnxruntime-node's library and the CUDA provider differ: $ours and $theirs"
rm -rf "$folder/lib"
mv "$folder/lib.new" "$folder/lib"

packages=$("${PYTHON:-python3}" - "$folder/wheels" <<'PYTHON'
import importlib.metadata, json, sys
found = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in importlib.metadata.distributions(path=[sys.argv[1]])}
print(json.dumps(dict(sorted(found.items()))))
PYTHON
)
printf '{ "onnxruntime": "%s", "packages": %s }\n' "$version" "$packages" > "$folder/versions.json"

echo "made $folder: onnxruntime $version ($ours)"
echo "packages: $packages"
if command -v nvidia-smi > /dev/null; then
  echo "found: $(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | sed 's/^/GPU /')"
else
  echo 'found no NVIDIA driver (nvidia-smi): the folder can be used where there is one, of version 580 or newer'
fi
