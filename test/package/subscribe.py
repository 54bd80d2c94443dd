"""Prints the first joint state and the first transition as JSON, as rclpy received them."""

import json
import time

import rclpy
from iq_learn.msg import Transition
from sensor_msgs.msg import JointState


def plain(value):
    if hasattr(value, 'get_fields_and_field_types'):
        return {name: plain(getattr(value, name)) for name in value.get_fields_and_field_types()}
    if isinstance(value, (bool, int, float, str)):
        return value
    return [plain(item) for item in value]


rclpy.init()
node = rclpy.create_node('subscriber')
received = {}
node.create_subscription(JointState, 'joint_states', lambda m: received.setdefault('state', plain(m)), 10)
node.create_subscription(Transition, 'transitions', lambda m: received.setdefault('transition', plain(m)), 10)
deadline = time.monotonic() + 120
while len(received) < 2 and time.monotonic() < deadline:
    rclpy.spin_once(node, timeout_sec=0.1)
print(json.dumps(received))
