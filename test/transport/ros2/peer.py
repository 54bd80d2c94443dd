"""An rclpy node that does what it is told, a JSON request a line: {"id", "do", …} → {"id", "result" or "error"}."""

import importlib
import json
import sys
import threading
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy


def load(type):
    """'std_msgs/msg/Bool' → its class"""
    package, kind, name = type.split('/')
    return getattr(importlib.import_module(f'{package}.{kind}'), name)


def plain(value):
    if hasattr(value, 'get_fields_and_field_types'):
        return {name: plain(getattr(value, name)) for name in value.get_fields_and_field_types()}
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return list(value)
    return [plain(item) for item in value]


def fill(message, fields):
    for name, value in fields.items():
        current = getattr(message, name)
        if isinstance(value, dict):
            fill(current, value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            kind = load_element(message, name)
            setattr(message, name, [fill(kind(), item) for item in value])
        else:
            # JSON has one kind of number, rclpy two
            setattr(message, name, float(value) if isinstance(current, float) else value)
    return message


def load_element(message, name):
    """'sequence<rcl_interfaces/Parameter>' → its class"""
    package, kind = message.get_fields_and_field_types()[name].removeprefix('sequence<').rstrip('>').split('/')
    return load(f'{package}/msg/{kind}')


def qos(text):
    """'reliable volatile 10'"""
    reliability, durability, depth = text.split()
    return QoSProfile(
        reliability=ReliabilityPolicy[reliability.upper()],
        durability=DurabilityPolicy[durability.upper()],
        depth=int(depth),
    )


def endpoint(info):
    return {
        'node': info.node_namespace.rstrip('/') + '/' + info.node_name,
        'type': info.topic_type,
        'reliability': info.qos_profile.reliability.name.lower(),
        'durability': info.qos_profile.durability.name.lower(),
    }


class Peer:
    def __init__(self):
        self.node = rclpy.create_node('peer', namespace=sys.argv[1] if len(sys.argv) > 1 else '/')
        self.received = {}
        self.publishers = {}
        self.clients = {}
        self.kept = []

    def subscribe(self, topic, type, qos_text):
        got = self.received.setdefault(topic, [])
        handler = lambda message: got.append(plain(message))
        self.kept.append(self.node.create_subscription(load(type), topic, handler, qos(qos_text)))

    def taken(self, topic):
        return self.received[topic]

    def advertise(self, topic, type, qos_text):
        self.publishers[topic] = self.node.create_publisher(load(type), topic, qos(qos_text))

    def publish(self, topic, fields):
        publisher = self.publishers[topic]
        message = publisher.msg_type()
        fill(message, fields)
        publisher.publish(message)

    def echo(self, type, source, target, qos_text):
        publisher = self.node.create_publisher(load(type), target, qos(qos_text))
        self.kept += [publisher, self.node.create_subscription(load(type), source, publisher.publish, qos(qos_text))]

    def serve(self, service, type, fields):
        requests = self.received.setdefault(service, [])

        def handler(request, response):
            requests.append(plain(request))
            fill(response, fields)
            return response

        self.kept.append(self.node.create_service(load(type), service, handler))

    def call(self, service, type, fields):
        kind = load(type)
        client = self.clients.get(service) or self.node.create_client(kind, service)
        self.clients[service] = client
        if not client.wait_for_service(timeout_sec=60):
            raise TimeoutError(f'no service {service}')
        request = kind.Request()
        fill(request, fields)
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(60):
            raise TimeoutError(f'no answer from {service}')
        return plain(future.result())

    def graph(self, topic):
        return {
            'publishers': [endpoint(info) for info in self.node.get_publishers_info_by_topic(topic)],
            'subscriptions': [endpoint(info) for info in self.node.get_subscriptions_info_by_topic(topic)],
        }

    def services(self):
        return dict(self.node.get_service_names_and_types())

    def nodes(self):
        return [namespace.rstrip('/') + '/' + name for name, namespace in self.node.get_node_names_and_namespaces()]


rclpy.init()
peer = Peer()
executor = SingleThreadedExecutor()
executor.add_node(peer.node)
threading.Thread(target=executor.spin, daemon=True).start()
print(json.dumps({'id': 0, 'result': 'ready'}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    answer = {'id': request['id']}
    try:
        answer['result'] = getattr(peer, request['do'])(*request['args'])
    except Exception as error:
        answer['error'] = f'{type(error).__name__}: {error}'
    print(json.dumps(answer), flush=True)
executor.shutdown()
rclpy.shutdown()
