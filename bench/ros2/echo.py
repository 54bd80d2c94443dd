"""Answers each state with its action from the setup at once: what DDS, rclpy and the driver take by themselves."""

import json
import sys

import rclpy
from geometry_msgs.msg import TwistStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState

with open(sys.argv[1], encoding='utf-8') as file:
    setup = json.load(file)
actions = {tuple(state): action for state, action in zip(setup['states'], setup['actions'])}
positions = len(setup['states'][0]) - len(setup['joints'])

rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
node = rclpy.create_node('echo')
commands = node.create_publisher(TwistStamped, '/echo/cmd_vel', QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE))


def hear(state):
    command = TwistStamped()
    command.header.stamp = state.header.stamp
    action = actions[(*state.position[:positions], *state.velocity)]
    command.twist.linear.x, command.twist.linear.y, command.twist.angular.z = action
    commands.publish(command)


states = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
node.create_subscription(JointState, '/echo/joint_states', hear, states)
executor = SingleThreadedExecutor()
executor.add_node(node)
executor.spin()
