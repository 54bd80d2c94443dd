#!/usr/bin/env bash
# The pinned rclnodejs, in a folder of its own: install-rclnodejs.sh FOLDER PINS ROS. A ROS 2 is sourced.
set -euo pipefail
folder=$1 pins=$2
key=$(sha256sum <"$pins/package-lock.json"; echo "$3"; node -p 'process.version + process.arch'; echo "$folder")
if [ "$(cat "$folder/stamp" 2>/dev/null)" = "$key" ]; then exit 0; fi

rm -rf "$folder"
mkdir -p "$folder"
cp "$pins"/package*.json "$folder"
cd "$folder"
log=$folder.log
# Without its install script: that runs `npx rimraf` from the network.
npm ci --ignore-scripts --no-audit --no-fund >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
prebuilt=$(node -p "require('./node_modules/rclnodejs/scripts/install.cjs').checkPrebuiltBinary()" | tail -1)
if [ "$prebuilt" != true ]; then
  # Node's own headers where they are installed, else node-gyp downloads them.
  prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  if [ -f "$prefix/include/node/node_api.h" ]; then export npm_config_nodedir=$prefix; fi
  (cd node_modules/rclnodejs && nice node ../node-gyp/bin/node-gyp.js -j "$(nproc)" rebuild) >>"$log" 2>&1 || { cat "$log" >&2; exit 1; }
  # Only the library is used: the objects beside it are five times its size.
  rm -rf node_modules/rclnodejs/build/Release/obj.target
fi
echo "$key" >stamp
