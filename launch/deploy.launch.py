"""A policy on a robot, behind the safety filter, with takeover by a person and an emergency stop.

The policy and the person both go through the policy node: safety filter -> policy_vel -> twist_mux -> the robot's command,
where the policy node goes before navigation, and the emergency stop before all (config/teleop/twist_mux.yaml).
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, SetLaunchConfiguration
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import Command, LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    robot = LaunchConfiguration('robot')
    namespace = LaunchConfiguration('namespace')
    command = LaunchConfiguration('command')
    mux = LaunchConfiguration('mux')
    share = FindPackageShare('iq_learn')
    configs = [share, '/config/teleop/']
    with_joystick = IfCondition(PythonExpression(["'", LaunchConfiguration('teleop'), "' == 'joy'"]))
    use_sim_time = {'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)}
    stamped = ParameterValue(LaunchConfiguration('cmd_vel_stamped'), value_type=bool)

    def described(fact):
        return PythonExpression([LaunchConfiguration('description'), "['", fact, "']"])

    twist_parts = ('linear.x', 'linear.y', 'linear.z', 'angular.yaw', 'angular.pitch', 'angular.roll')

    def joystick(parameter, kind):
        value = PythonExpression([LaunchConfiguration('joystick'), "['", parameter, "']"])
        return ParameterValue(value, value_type=kind)

    def text(name):
        return ParameterValue(LaunchConfiguration(name), value_type=str)

    def flag(name):
        return ParameterValue(LaunchConfiguration(name), value_type=bool)

    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='rover', description='A robot of config/robots, or the path of a description (YAML).'),
        # Asked once; what is not said below is as the robot's description says.
        SetLaunchConfiguration('description', Command(['node ', share, '/dist/src/hosts/ros2/describe.js "', robot, '"'])),
        DeclareLaunchArgument(
            'policy', default_value='', description='Folder of the policy; empty: waits for one from a learner.'),
        DeclareLaunchArgument(
            'replay', default_value='',
            description='An episode to drive again in place of a policy (replay.launch.py); empty: none.'),
        DeclareLaunchArgument(
            'replay_speed', default_value='1.0', description='Of the replay, at most 1.0: slower than it was recorded.'),
        DeclareLaunchArgument(
            'link', default_value='',
            description="The robot's file of a link to a learner elsewhere (iq-learn link init); empty: no link."),
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of all nodes and topics.'),
        DeclareLaunchArgument(
            'params_file', default_value=[share, '/config/parameters.yaml'],
            description='Parameters of nodes, in the form of ROS 2; what it says goes before the other arguments.'),
        DeclareLaunchArgument(
            'command', default_value=described('command'),
            description="The robot's command topic without leading slash; as its description names it."),
        DeclareLaunchArgument(
            'mux', default_value=described('twist'),
            choices=['true', 'false'],
            description='Goes through twist_mux; false for a robot that has its own, or is not commanded by a twist.'),
        DeclareLaunchArgument(
            'command_to',
            default_value=PythonExpression(["'policy_vel' if '", mux, "' == 'true' else '", command, "'"]),
            description='Where the policy node sends its commands.'),
        DeclareLaunchArgument(
            'source', default_value='policy', choices=['policy', 'teleop'],
            description='Who drives: the policy, which a person may take over from, or a person alone.'),
        DeclareLaunchArgument(
            'teleop', default_value='none', choices=['none', 'joy'],
            description='Starts a joystick with a dead-man button; none: something else publishes the teleoperation topic.'),
        DeclareLaunchArgument(
            'joy_config', default_value='base_joy',
            description='Buttons of the joystick: a file of config/teleop, without .yaml; its axes and scales go before ours.'),
        DeclareLaunchArgument(
            'supervised', default_value='false', choices=['true', 'false'],
            description='Drives only within episodes that a person starts and judges (supervise.launch.py, which it starts).'),
        DeclareLaunchArgument(
            'stochastic', default_value='false', choices=['true', 'false'],
            description="Draws actions from the policy, to learn on; false: the policy's mean, to work."),
        DeclareLaunchArgument(
            'explore', default_value='hold', choices=['hold', 'random'],
            description='What to do before the first policy: hold, or random actions within the limits.'),
        DeclareLaunchArgument(
            'estop_heartbeat_ms', default_value='0.0',
            description='The e-stop must be heard to be released this often; 0: it has no heartbeat.'),
        DeclareLaunchArgument(
            'cmd_vel_stamped', default_value=described('stamped'), choices=['true', 'false'],
            description="Twist commands are TwistStamped, else Twist; as the robot's description says."),
        DeclareLaunchArgument(
            'autostart', default_value='true', choices=['true', 'false'],
            description='Drives at once; false: waits for ros2 lifecycle set /policy configure, then activate.'),
        DeclareLaunchArgument(
            'use_sim_time', default_value='false', choices=['true', 'false'], description='Time is that of /clock.'),
        # Axes and scales by the limits of the description; a robot that no joystick can drive is refused with the reason.
        SetLaunchConfiguration(
            'joystick',
            Command(['node ', share, '/dist/src/hosts/ros2/describe.js "', robot, '" joystick']),
            condition=with_joystick,
        ),
        Node(
            package='iq_learn',
            executable='policy',
            namespace=namespace,
            parameters=[{
                **use_sim_time,
                'robot': text('robot'),
                'policy': text('policy'),
                'replay': text('replay'),
                'replay_speed': ParameterValue(LaunchConfiguration('replay_speed'), value_type=float),
                'source': text('source'),
                'supervised': flag('supervised'),
                'stochastic': flag('stochastic'),
                'explore': text('explore'),
                'estop_heartbeat_ms': ParameterValue(LaunchConfiguration('estop_heartbeat_ms'), value_type=float),
                'cmd_vel_stamped': stamped,
                'autostart': flag('autostart'),
            }, LaunchConfiguration('params_file')],
            remappings=[(command, LaunchConfiguration('command_to'))],
            output='screen',
        ),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource([share, '/launch/supervise.launch.py']),
            condition=IfCondition(LaunchConfiguration('supervised')),
        ),
        Node(
            package='iq_learn',
            executable='gateway',
            namespace=namespace,
            parameters=[{**use_sim_time, 'robot': text('robot'), 'link': text('link')}, LaunchConfiguration('params_file')],
            output='screen',
            condition=IfCondition(PythonExpression(["'", LaunchConfiguration('link'), "' != ''"])),
        ),
        Node(
            package='twist_mux',
            executable='twist_mux',
            namespace=namespace,
            parameters=[
                [*configs, 'twist_mux.yaml'],
                {**use_sim_time, 'use_stamped': stamped, 'locks.e_stop.topic': described('estop')},
            ],
            remappings=[('cmd_vel_out', command)],
            output='screen',
            condition=IfCondition(mux),
        ),
        Node(
            package='joy',
            executable='joy_node',
            namespace=namespace,
            parameters=[[*configs, 'joy.yaml'], use_sim_time],
            output='screen',
            condition=with_joystick,
        ),
        Node(
            package='teleop_twist_joy',
            executable='teleop_node',
            name='teleop_twist_joy_node',
            namespace=namespace,
            parameters=[
                {
                    'frame': joystick('frame', str),
                    **{f'axis_{part}': joystick(f'axis_{part}', int) for part in twist_parts},
                    **{f'scale_{part}': joystick(f'scale_{part}', float) for part in twist_parts},
                },
                [*configs, LaunchConfiguration('joy_config'), '.yaml'],
                {**use_sim_time, 'publish_stamped_twist': stamped},
            ],
            remappings=[('cmd_vel', described('teleop'))],
            output='screen',
            condition=with_joystick,
        ),
    ])
