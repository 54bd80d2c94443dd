"""An episode of a recording driven again on the robot, slowly at first: through the safety filter, as a policy is.

A person who takes over, or an emergency stop, ends it. The robot has to stand where the episode began.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    episode = LaunchConfiguration('episode')
    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='rover', description='A robot of config/robots, or the path of a description (YAML).'),
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of all nodes and topics.'),
        DeclareLaunchArgument(
            'params_file', default_value=[FindPackageShare('iq_learn'), '/config/parameters.yaml'],
            description='Parameters of nodes, in the form of ROS 2; what it says goes before the other arguments.'),
        DeclareLaunchArgument('recording', description='The recording: a folder of ours or of ros2 bag record, or an .mcap file.'),
        DeclareLaunchArgument(
            'episode', default_value='', description='Number of the episode in it; empty: the only one.'),
        DeclareLaunchArgument(
            'speed', default_value='0.5', description='Of the recorded motion, at most 1.0: 0.5 drives the same way in twice the time.'),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource([FindPackageShare('iq_learn'), '/launch/deploy.launch.py']),
            launch_arguments={
                'replay': [
                    LaunchConfiguration('recording'),
                    PythonExpression(["'#", episode, "' if '", episode, "' else ''"]),
                ],
                'replay_speed': LaunchConfiguration('speed'),
            }.items(),
        ),
    ])
