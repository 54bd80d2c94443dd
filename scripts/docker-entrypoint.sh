#!/usr/bin/env bash
# Sources ROS 2 and this package, then becomes the command.
set -e
source "/opt/ros/$ROS_DISTRO/setup.bash"
source /opt/iq_learn/.ros/env.sh
exec "$@"
