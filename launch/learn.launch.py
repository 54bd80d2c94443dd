"""Learns from recorded demonstrations, and from the transitions of a robot that drives its policies (deploy.launch.py)."""

from typing import List

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetLaunchConfiguration
from launch.substitutions import Command, LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    robot = LaunchConfiguration('robot')
    share = FindPackageShare('iq_learn')

    def text(name):
        return ParameterValue(LaunchConfiguration(name), value_type=str)

    def whole(name):
        return ParameterValue(LaunchConfiguration(name), value_type=int)

    def flag(name):
        return ParameterValue(LaunchConfiguration(name), value_type=bool)

    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='rover', description='A robot of config/robots, or the path of a description (YAML).'),
        SetLaunchConfiguration('description', Command(['node ', share, '/dist/src/hosts/ros2/describe.js "', robot, '"'])),
        DeclareLaunchArgument(
            'recording',
            description='Recordings of demonstrations, separated by commas: folders, .mcap files, folders of recordings.'),
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of all nodes and topics.'),
        DeclareLaunchArgument(
            'params_file', default_value=[share, '/config/parameters.yaml'],
            description='Parameters of nodes, in the form of ROS 2; what it says goes before the other arguments.'),
        DeclareLaunchArgument(
            'run', default_value=['runs/', PythonExpression([LaunchConfiguration('description'), "['robot']"])],
            description='Folder of this run: its checkpoint and its newest policy.'),
        DeclareLaunchArgument(
            'resume', default_value='true', choices=['true', 'false'],
            description='Goes on from the newest checkpoint of the run, where there is one.'),
        DeclareLaunchArgument(
            'device', default_value='auto', choices=['auto', 'cpu', 'cuda', 'tensorflow', 'wasm'],
            description='What learning runs on; auto: the best that is available (iq-learn devices).'),
        DeclareLaunchArgument('threads', default_value='1', description='Threads of the learning process, on the CPU.'),
        DeclareLaunchArgument('seed', default_value='0', description='Of everything that is drawn.'),
        DeclareLaunchArgument(
            'learn_from_interventions', default_value='false', choices=['true', 'false'],
            description='What a person does when taking over counts as demonstration.'),
        DeclareLaunchArgument(
            'use_sim_time', default_value='false', choices=['true', 'false'], description='Time is that of /clock.'),
        Node(
            package='iq_learn',
            executable='learner',
            namespace=LaunchConfiguration('namespace'),
            parameters=[{
                'robot': text('robot'),
                'recording': ParameterValue(
                    PythonExpression(["'", LaunchConfiguration('recording'), "'.split(',')"]), value_type=List[str]),
                'run': text('run'),
                'resume': flag('resume'),
                'device': text('device'),
                'threads': whole('threads'),
                'seed': whole('seed'),
                'learn_from_interventions': flag('learn_from_interventions'),
                'autostart': True,
                'use_sim_time': flag('use_sim_time'),
            }, LaunchConfiguration('params_file')],
            output='screen',
        ),
    ])
