"""Episodes of a real robot by a person: keys (ros2 run iq_learn keys), joystick, services, topics. Beside record or deploy.

record.launch.py, deploy.launch.py supervised:=true and evaluate.launch.py include it; it commands nothing.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    def value(name, kind):
        return ParameterValue(LaunchConfiguration(name), value_type=kind)

    yes_or_no = ['true', 'false']
    # Argument, its type, default, what it is, and its choices where it has some. Each is a parameter of the supervisor.
    arguments = [
        ('episodes', int, '0', 'Episodes to keep; 0: no limit.', None),
        ('episode_s', float, '0.0', 'Longest episode in seconds; 0.0: no limit.', None),
        ('reset_s', float, '0.0', 'Seconds after an episode in which the next begins by itself; 0.0: a person starts it.', None),
        ('terminal_success', bool, 'true', 'Success is a true terminal state: the task is over.', yes_or_no),
        ('terminal_failure', bool, 'false', 'Failure is a true terminal state: a fall, a crash.', yes_or_no),
        ('success_topic', str, '', 'A topic of std_msgs/Bool whose true is success; empty: none.', None),
        ('failure_topic', str, '', 'A topic of std_msgs/Bool whose true is failure; empty: none.', None),
        ('recorder', bool, 'false', 'The recorder records the episodes.', yes_or_no),
        ('recordings', str, 'recordings', 'Folder that holds recordings.', None),
        ('session', str, '', 'Name of the recording, whose earlier episodes count; empty: a new one.', None),
        ('policies', str, '', 'Folders of policies to evaluate, separated by commas; empty: none.', None),
        ('trials', int, '10', 'Evaluation: trials of each policy.', None),
        ('blind', bool, 'false', 'Evaluation: the person is not told which policy drives.', yes_or_no),
        ('seed', int, '0', 'Evaluation: of the order of the policies.', None),
        ('out', str, '', 'Evaluation: folder of the results, gone on with if it has some; empty: a new one.', None),
    ]
    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='rover', description='A robot of config/robots, or the path of a description (YAML).'),
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of all nodes and topics.'),
        DeclareLaunchArgument(
            'params_file', default_value=[FindPackageShare('iq_learn'), '/config/parameters.yaml'],
            description='Parameters of nodes, in the form of ROS 2; what it says goes before the other arguments.'),
        DeclareLaunchArgument(
            'use_sim_time', default_value='false', choices=yes_or_no, description='Time is that of /clock.'),
        *[
            DeclareLaunchArgument(name, default_value=default, description=description, choices=choices)
            for name, _, default, description, choices in arguments
        ],
        Node(
            package='iq_learn',
            executable='supervisor',
            namespace=LaunchConfiguration('namespace'),
            parameters=[{
                'robot': value('robot', str),
                'use_sim_time': value('use_sim_time', bool),
                **{name: value(name, kind) for name, kind, *_ in arguments},
            }, LaunchConfiguration('params_file')],
            output='screen',
            on_exit=Shutdown(reason='the session is over'),
        ),
    ])
