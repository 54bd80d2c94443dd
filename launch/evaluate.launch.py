"""Policies on a robot, in an order drawn at random: a person (or a topic) says how each trial ended. Ends with a table.

Every trial is recorded, and on the disk before the next begins; the same command with out:=<folder> goes on.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, SetLaunchConfiguration
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import Command, LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    def text(name):
        return ParameterValue(LaunchConfiguration(name), value_type=str)

    def flag(name):
        return ParameterValue(LaunchConfiguration(name), value_type=bool)

    robot = LaunchConfiguration('robot')
    share = FindPackageShare('iq_learn')
    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='rover', description='A robot of config/robots, or the path of a description (YAML).'),
        SetLaunchConfiguration('description', Command(['node ', share, '/dist/src/hosts/ros2/describe.js "', robot, '"'])),
        DeclareLaunchArgument('policy', description='Folders of the policies, separated by commas.'),
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of all nodes and topics.'),
        DeclareLaunchArgument(
            'params_file', default_value=[share, '/config/parameters.yaml'],
            description='Parameters of nodes, in the form of ROS 2; what it says goes before the other arguments.'),
        DeclareLaunchArgument(
            'recordings', default_value='recordings', description='Folder that holds the recordings of the trials.'),
        DeclareLaunchArgument(
            'session', default_value='', description='Name of the recording of the trials; empty: robot, date and time.'),
        DeclareLaunchArgument(
            'check_topics', default_value='true', choices=['true', 'false'],
            description='Refuses a trial while a state topic is missing or stale.'),
        DeclareLaunchArgument(
            'cmd_vel_stamped',
            default_value=PythonExpression([LaunchConfiguration('description'), "['stamped']"]),
            choices=['true', 'false'],
            description="Twist commands are TwistStamped, else Twist; as the robot's description says."),
        DeclareLaunchArgument(
            'use_sim_time', default_value='false', choices=['true', 'false'], description='Time is that of /clock.'),
        Node(
            package='iq_learn',
            executable='recorder',
            namespace=LaunchConfiguration('namespace'),
            parameters=[{
                'robot': text('robot'),
                'recordings': text('recordings'),
                'session': text('session'),
                'check_topics': flag('check_topics'),
                'cmd_vel_stamped': flag('cmd_vel_stamped'),
                'autostart': True,
                'use_sim_time': flag('use_sim_time'),
            }, LaunchConfiguration('params_file')],
            output='screen',
        ),
        # The supervisor gives the policy node each policy when it is its turn; a person may drive between the trials.
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource([share, '/launch/deploy.launch.py']),
            launch_arguments={
                'policies': LaunchConfiguration('policy'),
                'policy': '',
                'supervised': 'true',
                'recorder': 'true',
            }.items(),
        ),
    ])
