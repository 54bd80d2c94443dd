"""The usual policy node in Python: rclpy and PyTorch, JointState → network → TwistStamped in the subscription's callback.

Started with a file: {"joints", "features": [{"joint", "quantity", "low", "high"}…], "widths": [o, …, 2 a], "weights":
file of float32, "low", "high": [a]}. It does less than ours: no safety filter, no takeover, no e-stop, no transitions.
"""

import json
import math
import sys

import numpy as np
import rclpy
import torch
from geometry_msgs.msg import TwistStamped
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from torch import nn

torch.set_num_threads(1)


def actor(widths, weights) -> nn.Sequential:
    layers: list[nn.Module] = []
    at = 0

    def take(*shape):
        nonlocal at
        size = math.prod(shape)
        part = torch.from_numpy(weights[at : at + size].reshape(shape).copy())
        at += size
        return part

    for inputs, outputs in zip(widths, widths[1:]):
        linear = nn.Linear(inputs, outputs)
        with torch.no_grad():
            linear.weight.copy_(take(inputs, outputs).T)
            linear.bias.copy_(take(outputs))
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


class Policy(Node):
    def __init__(self, setup):
        super().__init__('policy')
        self.net = actor(setup['widths'], np.fromfile(setup['weights'], dtype=np.float32))
        self.features = setup['features']
        self.bounds = np.array([[feature[key] for feature in self.features] for key in ('low', 'high')], np.float32)
        low, high = (torch.tensor(setup[key]) for key in ('low', 'high'))
        self.centre, self.half = (high + low) / 2, (high - low) / 2
        self.commands = self.create_publisher(
            TwistStamped, 'cmd_vel', QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
        )
        self.create_subscription(
            JointState, 'joint_states', self.answer, QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        )

    @torch.inference_mode()
    def answer(self, state: JointState):
        index = {name: i for i, name in enumerate(state.name)}
        values = [getattr(state, feature['quantity'])[index[feature['joint']]] for feature in self.features]
        observation = np.clip(np.array(values, np.float32), *self.bounds)
        if not np.isfinite(observation).all():
            return
        mean = self.net(torch.from_numpy(observation)).chunk(2)[0]
        action = (self.centre + self.half * torch.tanh(mean)).tolist()
        command = TwistStamped()
        command.header.stamp = state.header.stamp
        command.header.frame_id = 'base_link'
        command.twist.linear.x, command.twist.linear.y, command.twist.angular.z = action
        self.commands.publish(command)


def main():
    rclpy.init()
    with open(sys.argv[1], encoding='utf-8') as file:
        node = Policy(json.load(file))
    for _ in range(20):
        with torch.inference_mode():
            node.net(torch.zeros(len(node.features)))
    try:
        rclpy.spin(node)
    except ExternalShutdownException:
        pass


main()
