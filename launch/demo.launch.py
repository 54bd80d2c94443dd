"""The whole loop in the MuJoCo simulator: demonstrate, learn, deploy. Ends when it is through, with a table and a policy.

The clock is the simulator's own: in a namespace it is <namespace>/clock, so that a second demo is not disturbed.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    def text(name):
        return ParameterValue(LaunchConfiguration(name), value_type=str)

    def whole(name):
        return ParameterValue(LaunchConfiguration(name), value_type=int)

    common = {'robot': text('robot'), 'use_sim_time': True}
    # Relative, the clock follows the namespace; without one it is /clock.
    own_clock = [('/clock', 'clock')]

    def node(executable, **parameters):
        return Node(
            package='iq_learn',
            executable=executable,
            namespace=LaunchConfiguration('namespace'),
            parameters=[{**common, **parameters}, LaunchConfiguration('params_file')],
            remappings=own_clock,
            output='screen',
        )

    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='rover', choices=['rover', 'arm'], description='Which robot to simulate.'),
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of all nodes and topics.'),
        DeclareLaunchArgument(
            'params_file', default_value=[FindPackageShare('iq_learn'), '/config/parameters.yaml'],
            description='Parameters of nodes, in the form of ROS 2; what it says goes before the other arguments.'),
        DeclareLaunchArgument(
            'demonstrations', default_value='0', description="Episodes that the expert shows; 0: the robot's own number."),
        DeclareLaunchArgument(
            'steps', default_value='0', description="Own steps to learn from; 0: the robot's own number."),
        DeclareLaunchArgument(
            'episodes', default_value='0', description='Fresh starts to evaluate the policy on; 0: the usual number.'),
        DeclareLaunchArgument('seed', default_value='0', description='Of everything that is drawn.'),
        DeclareLaunchArgument(
            'run', default_value='', description='New folder for recording, checkpoint and policy; empty: below runs/.'),
        # The conductor configures and activates recorder, learner and policy when it is their turn.
        node('simulator', pace='lockstep', autostart=True, seed=whole('seed')),
        node('expert', autostart=True),
        node('recorder', autostart=False, check_topics=False),
        # Nothing of an earlier run is gone on with.
        node('learner', autostart=False, resume=False),
        node('policy', autostart=False, pace='lockstep'),
        Node(
            package='iq_learn',
            executable='demo',
            namespace=LaunchConfiguration('namespace'),
            parameters=[{
                **common,
                'demonstrations': whole('demonstrations'),
                'steps': whole('steps'),
                'episodes': whole('episodes'),
                'seed': whole('seed'),
                'run': text('run'),
            }, LaunchConfiguration('params_file')],
            remappings=own_clock,
            output='screen',
            on_exit=Shutdown(reason='the demo is over'),
        ),
    ])
