"""A robot in Gazebo in place of the MuJoCo simulator node: the same topics and services, in real time."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, Shutdown
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import Command, LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    robot = LaunchConfiguration('robot')
    namespace = LaunchConfiguration('namespace')
    share = FindPackageShare('iq_learn')
    world = [share, '/worlds/', robot, '.sdf']
    urdf = [share, '/urdf/', robot, '.urdf']
    over = Shutdown(reason='Gazebo has ended')

    return LaunchDescription([
        DeclareLaunchArgument(
            'robot', default_value='rover', choices=['rover', 'arm'], description='Which robot, in its own world.'),
        DeclareLaunchArgument('namespace', default_value='', description='Namespace of all nodes and topics.'),
        DeclareLaunchArgument(
            'params_file', default_value=[share, '/config/parameters.yaml'],
            description='Parameters of nodes, in the form of ROS 2; what it says goes before the other arguments.'),
        DeclareLaunchArgument(
            'gui', default_value='true', choices=['true', 'false'], description="Gazebo's window, or the server alone."),
        DeclareLaunchArgument('seed', default_value='0', description='Of the starts that the task chooses itself.'),
        DeclareLaunchArgument(
            'max_steps', default_value='0', description="Control steps of an episode; 0: the task's own number."),
        ExecuteProcess(
            cmd=['gz', 'sim', '-r', world], output='screen', on_exit=over,
            condition=IfCondition(LaunchConfiguration('gui'))),
        # Without a window the range sensor is still rendered.
        ExecuteProcess(
            cmd=['gz', 'sim', '-r', '-s', '--headless-rendering', world], output='screen', on_exit=over,
            condition=UnlessCondition(LaunchConfiguration('gui'))),
        Node(
            package='ros_gz_sim',
            executable='create',
            arguments=[
                '-world', robot, '-file', urdf, '-name', robot,
                '-x', PythonExpression(["'-1.8' if '", robot, "' == 'rover' else '0'"]),
                '-z', PythonExpression(["'0.05' if '", robot, "' == 'rover' else '0'"]),
            ],
            output='screen',
        ),
        Node(
            package='ros_gz_bridge',
            executable='parameter_bridge',
            namespace=namespace,
            parameters=[{
                'config_file': [share, '/config/gazebo/', robot, '_bridge.yaml'],
                'use_sim_time': True,
            }, LaunchConfiguration('params_file')],
            output='screen',
        ),
        Node(
            package='robot_state_publisher',
            executable='robot_state_publisher',
            namespace=namespace,
            parameters=[{
                'robot_description': ParameterValue(Command(['cat ', *urdf]), value_type=str),
                'use_sim_time': True,
            }, LaunchConfiguration('params_file')],
            output='screen',
        ),
        Node(
            package='iq_learn',
            executable='gazebo_task',
            namespace=namespace,
            parameters=[{
                'robot': ParameterValue(robot, value_type=str),
                'seed': ParameterValue(LaunchConfiguration('seed'), value_type=int),
                'max_steps': ParameterValue(LaunchConfiguration('max_steps'), value_type=int),
                'autostart': True,
                'use_sim_time': True,
            }, LaunchConfiguration('params_file')],
            output='screen',
        ),
    ])
