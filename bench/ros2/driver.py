"""Stands for a robot: publishes states at a fixed rate and times the commands that answer them, on one steady clock.

Started with the file of a setup: {"rate_hz", "joints", "states": [[position…, velocity…]…], "actions": [[…]…],
"contenders": {name: {"state", "command"}}}. Then a JSON request a line:
{"transition": node, "id": n}    asks a lifecycle node for a transition → {"success"}
{"discover": true}               waits until all contenders are there → {}
{"run": name, "seconds", "warm"} → {"latency_ms": [… null for a state without an answer], "stops", "late"}
An answer is the first command since the state with the action that the policy gives for it.
"""

import gc
import json
import os
import sys
import threading
import time
from array import array
from bisect import bisect_right

import rclpy
from geometry_msgs.msg import TwistStamped
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState

DISCOVERY_S = 60
# Commands that are still under way when a run ends.
SETTLE_S = 0.2
# Newest states before a command among which the one that it answers is looked for.
LOOK_BACK = 10
# Of the largest number of an action.
TOLERANCE = 1e-4

SENSOR = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
COMMAND = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)


def is_close(found, expected):
    return all(abs(a - b) <= TOLERANCE for a, b in zip(found, expected))


class Driver:
    def __init__(self, setup):
        self.node = rclpy.create_node('driver')
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.period_ns = round(1e9 / setup['rate_hz'])
        self.actions = setup['actions']
        self.messages = [self.message(setup['joints'], state) for state in setup['states']]
        self.received = []
        self.endpoints = {
            name: (
                self.node.create_publisher(JointState, topics['state'], SENSOR),
                self.node.create_subscription(TwistStamped, topics['command'], self.hear, COMMAND),
            )
            for name, topics in setup['contenders'].items()
        }
        threading.Thread(target=self.executor.spin, daemon=True).start()

    @staticmethod
    def message(joints, state):
        positions = len(state) - len(joints)
        message = JointState(name=joints)
        # A list of JointState is as long as the names.
        message.position = array('d', state[:positions] + [0.0] * (len(joints) - positions))
        message.velocity = array('d', state[positions:])
        return message

    def hear(self, command):
        self.received.append((time.perf_counter_ns(), command))

    def discover(self):
        until = time.monotonic() + DISCOVERY_S
        for name, (publisher, subscription) in self.endpoints.items():
            while publisher.get_subscription_count() == 0 or subscription.get_publisher_count() == 0:
                if time.monotonic() > until:
                    raise SystemExit(f'{name} has not appeared')
                time.sleep(0.02)
        return {}

    def transition(self, node_name, id):
        node = rclpy.create_node('operator')
        client = node.create_client(ChangeState, f'{node_name}/change_state')
        if not client.wait_for_service(DISCOVERY_S):
            raise SystemExit(f'{node_name} has not appeared')
        request = ChangeState.Request()
        request.transition.id = id
        future = client.call_async(request)
        rclpy.spin_until_future_complete(node, future, timeout_sec=DISCOVERY_S)
        if not future.done():
            raise SystemExit(f'{node_name} does not answer')
        node.destroy_node()
        return {'success': future.result().success}

    def publish(self, publisher, count):
        """States at the rate, and when each was handed over. A delay moves all that follow: a robot sends no bursts."""
        sent = []
        late = 0
        due = time.perf_counter_ns()
        for i in range(count):
            wait = due - time.perf_counter_ns()
            if wait > 0:
                time.sleep(wait / 1e9)
            message = self.messages[i % len(self.messages)]
            stamp = time.time_ns()
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 1_000_000_000)
            now = time.perf_counter_ns()
            publisher.publish(message)
            sent.append((stamp, now))
            if now - due > self.period_ns / 2:
                late += 1
                due = now
            due += self.period_ns
        time.sleep(SETTLE_S)
        return sent, late

    def run(self, name, seconds, warm):
        publisher, _ = self.endpoints[name]
        skipped = round(warm * 1e9 / self.period_ns)
        count = skipped + round(seconds * 1e9 / self.period_ns)
        self.received = []
        gc.disable()
        sent, late = self.publish(publisher, count)
        received, self.received = self.received, []
        gc.enable()
        stamps = [stamp for stamp, _ in sent]
        latency = [None] * count
        stops = 0
        for at, command in received:
            twist = command.twist
            action = (twist.linear.x, twist.linear.y, twist.angular.z)
            # A command has the time when it was sent, so the state that it answers is one of the last before.
            newest = bisect_right(stamps, command.header.stamp.sec * 1_000_000_000 + command.header.stamp.nanosec) - 1
            answered = [
                i
                for i in range(newest, max(-1, newest - LOOK_BACK), -1)
                if is_close(action, self.actions[i % len(self.actions)])
            ]
            if not answered:
                stops += newest >= skipped
            elif latency[answered[0]] is None:
                latency[answered[0]] = (at - sent[answered[0]][1]) / 1e6
        return {'latency_ms': latency[skipped:], 'stops': stops, 'late': late}


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        setup = json.load(file)
    # Killed, it ends at once.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    driver = Driver(setup)
    for line in sys.stdin:
        request = json.loads(line)
        if 'transition' in request:
            answer = driver.transition(request['transition'], request['id'])
        elif 'discover' in request:
            answer = driver.discover()
        else:
            answer = driver.run(request['run'], request['seconds'], request['warm'])
        print(json.dumps(answer), flush=True)


try:
    main()
except BaseException as error:
    print(f'{type(error).__name__}: {error}', file=sys.stderr, flush=True)
# Without waiting for the thread that spins.
os._exit(1)
