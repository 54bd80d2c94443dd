"""Demonstrations by teleoperation: a recorder, and the road by which the person's commands reach the robot."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, SetLaunchConfiguration
from launch.conditions import IfCondition
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
    shared = {
        name: LaunchConfiguration(name)
        for name in ('robot', 'namespace', 'cmd_vel_stamped', 'use_sim_time', 'supervised')
    }
    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='rover', description='A robot of config/robots, or the path of a description (YAML).'),
        SetLaunchConfiguration('description', Command(['node ', share, '/dist/src/hosts/ros2/describe.js "', robot, '"'])),
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of all nodes and topics.'),
        DeclareLaunchArgument(
            'params_file', default_value=[share, '/config/parameters.yaml'],
            description='Parameters of nodes, in the form of ROS 2; what it says goes before the other arguments.'),
        DeclareLaunchArgument('recordings', default_value='recordings', description='Folder that holds recordings.'),
        DeclareLaunchArgument(
            'session', default_value='', description='Name of this recording; empty: robot, date and time.'),
        DeclareLaunchArgument(
            'check_topics', default_value='true', choices=['true', 'false'],
            description='Refuses an episode while a state topic is missing or stale.'),
        DeclareLaunchArgument(
            'teleop',
            default_value=PythonExpression(["'joy' if ", LaunchConfiguration('description'), "['twist'] == 'true' else 'none'"]),
            choices=['none', 'joy', 'expert'],
            description='Who shows: a joystick, the scripted expert of a simulated robot, or something else (none).'),
        DeclareLaunchArgument(
            'supervised',
            default_value=PythonExpression(["'true' if ", LaunchConfiguration('description'), "['task'] == '' else 'false'"]),
            choices=['true', 'false'],
            description='A person starts and judges the episodes (supervise.launch.py); by default where no simulator does.'),
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
        Node(
            package='iq_learn',
            executable='expert',
            namespace=LaunchConfiguration('namespace'),
            parameters=[{
                'robot': text('robot'),
                'cmd_vel_stamped': flag('cmd_vel_stamped'),
                'autostart': True,
                'use_sim_time': flag('use_sim_time'),
            }, LaunchConfiguration('params_file')],
            output='screen',
            condition=IfCondition(PythonExpression(["'", LaunchConfiguration('teleop'), "' == 'expert'"])),
        ),
        # The person drives through the safety filter that the policy will drive through.
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource([share, '/launch/deploy.launch.py']),
            launch_arguments={
                **shared,
                'source': 'teleop',
                'recorder': 'true',
                'teleop': PythonExpression(["'joy' if '", LaunchConfiguration('teleop'), "' == 'joy' else 'none'"]),
            }.items(),
        ),
    ])
