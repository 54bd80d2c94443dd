# Source this (bash): rclpy and Node processes then find ROS 2, this package and its messages. Written by
# scripts/setup-ros.sh. Node processes must be started with LD_PRELOAD="$IQ_LEARN_NODE_PRELOAD" where that is set,
# which the executables in lib/iq_learn do.
_iq_learn_ros=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
_iq_learn_first() { # VARIABLE FOLDER: puts FOLDER in front, once
  case ":${!1:-}:" in
    *":$2:"*) ;;
    *) export "$1=$2${!1:+:${!1}}" ;;
  esac
}
if [ @ORIGIN@ = wheels ]; then
  _iq_learn_venv=$_iq_learn_ros/venv
  export ROS_DISTRO=kilted ROS_VERSION=2 ROS_PYTHON_VERSION=3 IQ_LEARN_ROS_PYTHON=$_iq_learn_venv/bin/python
  # The libraries are on LD_LIBRARY_PATH already: the wheels' bootstrapper need not restart Python to put them there.
  export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
  _iq_learn_first PATH "$_iq_learn_venv/bin"
  _iq_learn_first AMENT_PREFIX_PATH "$_iq_learn_venv"
  _iq_learn_first CMAKE_PREFIX_PATH "$_iq_learn_venv"
  for _iq_learn_folder in "$_iq_learn_venv"/lib/python3.*/site-packages/ros_*.libs "$_iq_learn_venv/lib"; do
    _iq_learn_first LD_LIBRARY_PATH "$_iq_learn_folder"
    _iq_learn_first LIBRARY_PATH "$_iq_learn_folder"
  done
  for _iq_learn_folder in "$_iq_learn_venv"/lib/python3.*/site-packages; do
    _iq_learn_first PYTHONPATH "$_iq_learn_folder"
  done
  # The wheels' message libraries leave Python's symbols to the process that loads them, which Node has not.
  IQ_LEARN_NODE_PRELOAD=$("$IQ_LEARN_ROS_PYTHON" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR") + "/" + sysconfig.get_config_var("INSTSONAME"))')
  export IQ_LEARN_NODE_PRELOAD
elif [ -z "${AMENT_PREFIX_PATH:-}" ]; then
  echo "source your ROS 2 first (source /opt/ros/<distro>/setup.bash)" >&2
fi
if [ -d "$_iq_learn_ros/install/iq_learn" ]; then
  _iq_learn_first AMENT_PREFIX_PATH "$_iq_learn_ros/install/iq_learn"
  _iq_learn_first CMAKE_PREFIX_PATH "$_iq_learn_ros/install/iq_learn"
  _iq_learn_first LD_LIBRARY_PATH "$_iq_learn_ros/install/iq_learn/lib"
  for _iq_learn_folder in "$_iq_learn_ros"/install/iq_learn/lib/python3*/*-packages "$_iq_learn_ros"/install/iq_learn/local/lib/python3*/*-packages; do
    if [ -d "$_iq_learn_folder" ]; then _iq_learn_first PYTHONPATH "$_iq_learn_folder"; fi
  done
fi
export IQ_LEARN_ROS=@ORIGIN@
unset -f _iq_learn_first
unset _iq_learn_ros _iq_learn_venv _iq_learn_folder
