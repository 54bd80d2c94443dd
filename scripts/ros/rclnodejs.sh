#!/usr/bin/env bash
# Makes rclnodejs usable from this checkout: rclnodejs.sh FOLDER, with a ROS 2 sourced that has this package's messages.
# One that stands in node_modules (npm install --no-save rclnodejs) is kept, and so is a linked one that was built for this
# ROS 2 and Node; else the pinned one is built in FOLDER, where `npm ci` does not reach it, and linked. Its messages are
# generated again where those in sight have changed.
set -euo pipefail
folder=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
modules=$(cd "$here/../../node_modules" && pwd -P)
speaker=rclnodejs
source "$here/words.sh"

# What a build is for: the pins, the ROS 2, the Node.
key="$(sha256sum <"$here/rclnodejs/package-lock.json") $ROS_DISTRO $(command -v ros2) $(node -p 'process.version + process.arch')"
is_built() { [ "$(cat "$1/stamp" 2>/dev/null)" = "$key" ]; }

build() {
  local log=$folder.log
  rm -rf "$folder"
  mkdir -p "$folder"
  cp "$here"/rclnodejs/package*.json "$folder"
  # Without its install script, which runs `npx rimraf` from the network.
  say "building it for this ROS 2 and Node, about a minute (log: $log)"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund) >"$log" 2>&1 ||
    fail 'its packages could not be installed' "$(reason_in "$log")" 'a network that reaches the npm registry' 'check it and run this again'
  local package=$folder/node_modules/rclnodejs
  if [ "$(node -p "require('$package/scripts/install.cjs').checkPrebuiltBinary()" | tail -1)" != true ]; then
    # Node's own headers where they are installed, else node-gyp downloads them.
    local prefix
    prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
    if [ -f "$prefix/include/node/node_api.h" ]; then export npm_config_nodedir=$prefix; fi
    (cd "$package" && node ../node-gyp/bin/node-gyp.js -j "$(nproc)" rebuild) >>"$log" 2>&1 ||
      fail 'it could not be built' "$(reason_in "$log")" "a C++ compiler, make, Python and the headers of Node $(node -p process.version)" \
        'install what is missing and run this again'
    rm -rf "$package/build/Release/obj.target"
  fi
  echo "$key" >"$folder/stamp"
}

if [ ! -e "$modules/rclnodejs" ] || { [ -L "$modules/rclnodejs" ] && ! is_built "$(readlink -f "$modules/rclnodejs")/../.."; }; then
  is_built "$folder" || build
  rm -f "$modules/rclnodejs"
  ln -s "$(realpath --relative-to="$modules" "$folder/node_modules/rclnodejs")" "$modules/rclnodejs"
fi

package=$(cd "$modules/rclnodejs" && pwd -P)
if [ -n "${IQ_LEARN_NODE_PRELOAD:-}" ]; then export LD_PRELOAD=$IQ_LEARN_NODE_PRELOAD; fi

# Ends with an error where Node cannot load the addon. The package itself would then delete its build and make another, and
# its generator of messages does not say so. One that comes with the package is not looked at.
addon=$package/build/Release/rclnodejs.node
had_addon=$([ -f "$addon" ] && echo yes || true)
check_addon() {
  [ -n "$had_addon" ] || return 0
  local printed
  printed=$(node -e 'require(process.argv[1])' "$addon" 2>&1) && return 0
  echo "rclnodejs' addon cannot be loaded $1: $(grep -m 1 -E 'Error|cannot|no such' <<<"$printed" || echo "$printed")" >&2
  echo "expected: $addon, built for this Node ($(node -p process.version)) and the ROS 2 that is sourced ($ROS_DISTRO)" >&2
  echo "to do: remove $folder and $modules/rclnodejs, and build again with that ROS 2 sourced" >&2
  exit 1
}
check_addon 'before its messages are generated'
# The interfaces in sight: every package's name, as those of a distribution do not change, and our own as they are.
interfaces=$({
  IFS=:
  for prefix in $AMENT_PREFIX_PATH; do ls "$prefix/share/ament_index/resource_index/rosidl_interfaces" 2>/dev/null || true; done | sort -u
  for prefix in $AMENT_PREFIX_PATH; do
    if [ -d "$prefix/share/iq_learn/msg" ]; then cat "$prefix"/share/iq_learn/{msg,srv}/*; break; fi
  done
} | sha256sum)
if [ "$(cat "$package/generated/iq_learn.stamp" 2>/dev/null)" != "$interfaces" ]; then
  rm -rf "$package/generated"
  printed=$(cd "$package" && node scripts/generate_messages.cjs 2>&1) || true
  if [ ! -f "$package/generated/iq_learn/iq_learn__msg__Transition.js" ]; then
    echo "$printed" >"$package/generate.log"
    fail "it did not generate this package's messages" "$(reason_in "$package/generate.log")" 'generated/iq_learn in its folder' \
      "remove $folder and $modules/rclnodejs, and run this again with that ROS 2 sourced"
  fi
  check_addon 'after its messages were generated'
  echo "$interfaces" >"$package/generated/iq_learn.stamp"
fi
