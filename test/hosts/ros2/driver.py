"""A ROS 2 participant written with rclpy, told what to do by JSON lines on stdin and answering with JSON lines."""

import importlib
import json
import math
import queue
import sys
import threading
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

rclpy.init()
node = rclpy.create_node('driver')
executor = SingleThreadedExecutor()
executor.add_node(node)
requests = queue.Queue()
publishers, received, timers, clients = {}, {}, {}, {}


def class_of(name):
    package, kind, short = name.split('/')
    return getattr(importlib.import_module(f'{package}.{kind}'), short)


def plain(value):
    if hasattr(value, 'get_fields_and_field_types'):
        return {name: plain(getattr(value, name)) for name in value.get_fields_and_field_types()}
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, bytes):
        return list(value)
    return [plain(item) for item in value]


def fill(message, values):
    fields = message.get_fields_and_field_types()
    for name, value in values.items():
        old = getattr(message, name)
        if hasattr(old, 'get_fields_and_field_types'):
            fill(old, value)
        elif fields[name].startswith('sequence<') and '/' in fields[name]:
            element = fields[name][len('sequence<'):-1].split(',')[0]
            package, short = element.split('/')
            setattr(message, name, [fill(class_of(f'{package}/msg/{short}')(), each) for each in value])
        elif isinstance(old, float):
            setattr(message, name, float(value))
        elif fields[name] == 'octet':
            setattr(message, name, bytes([value]))
        elif isinstance(value, list) and fields[name].startswith(('sequence<double', 'sequence<float', 'double', 'float')):
            setattr(message, name, [float(each) for each in value])
        else:
            setattr(message, name, value)
    return message


def profile(reliability='reliable', durability='volatile', depth=100):
    return QoSProfile(
        depth=depth,
        reliability=ReliabilityPolicy[reliability.upper()],
        durability=DurabilityPolicy[durability.upper()],
    )


def publisher_of(topic, kind, qos):
    if topic not in publishers:
        publishers[topic] = node.create_publisher(class_of(kind), topic, profile(**qos))
    return publishers[topic]


def publisher_of_message(topic, type, message, qos):
    """Publishes this message at every call; where it has no stamp, with that of the call."""
    publisher = publisher_of(topic, type, qos or {})
    built = fill(class_of(type)(), message)
    is_stamped = hasattr(built, 'header') and built.header.stamp.sec == 0

    def send():
        if is_stamped:
            built.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(built)

    return send


def publish(topic, type, message, qos=None):
    publisher_of_message(topic, type, message, qos)()


def subscribe(topic, type, qos=None):
    received[topic] = []

    def take(message):
        received[topic].append({'at': time.monotonic(), 'message': plain(message)})

    node.create_subscription(class_of(type), topic, take, profile(**(qos or {})))


def take(topic):
    taken, received[topic] = received[topic], []
    return taken


def repeat(topic, type, message, hz, qos=None):
    quiet(topic)
    timers[topic] = node.create_timer(1 / hz, publisher_of_message(topic, type, message, qos))


def quiet(topic):
    if topic in timers:
        node.destroy_timer(timers.pop(topic))


def endpoints(topic):
    def describe(info):
        return {
            'node': info.node_name,
            'namespace': info.node_namespace,
            'type': info.topic_type,
            'reliability': info.qos_profile.reliability.name.lower(),
            'durability': info.qos_profile.durability.name.lower(),
        }

    return {
        'publishers': [describe(info) for info in node.get_publishers_info_by_topic(topic)],
        'subscriptions': [describe(info) for info in node.get_subscriptions_info_by_topic(topic)],
    }


def readers(topic, type, qos=None):
    """Ids of the subscriptions that get what is published here from now on; none while one that is known is not matched."""
    publisher = publisher_of(topic, type, qos or {})
    ids = [bytes(info.endpoint_gid).hex() for info in node.get_subscriptions_info_by_topic(topic)]
    return ids if publisher.get_subscription_count() == len(ids) else []


def call(service, type, request, timeout=20):
    kind = class_of(type)
    if service not in clients:
        clients[service] = node.create_client(kind, service)
    client = clients[service]
    deadline = time.monotonic() + timeout
    while not client.service_is_ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f'no server of {service}')
        executor.spin_once(timeout_sec=0.05)
    future = client.call_async(fill(kind.Request(), request))
    while not future.done():
        if time.monotonic() > deadline:
            raise TimeoutError(f'no answer of {service}')
        executor.spin_once(timeout_sec=0.05)
    return plain(future.result())


def nodes():
    return [f'{namespace.rstrip("/")}/{name}' for name, namespace in node.get_node_names_and_namespaces()]


operations = {f.__name__: f for f in (publish, subscribe, take, repeat, quiet, endpoints, readers, call, nodes)}


def read():
    for line in sys.stdin:
        requests.put(json.loads(line))
    requests.put(None)


threading.Thread(target=read, daemon=True).start()
print('driver ready', flush=True)
while True:
    executor.spin_once(timeout_sec=0.01)
    try:
        request = requests.get_nowait()
    except queue.Empty:
        continue
    if request is None:
        break
    number, operation = request.pop('id'), request.pop('do')
    try:
        answer = {'id': number, 'value': operations[operation](**request)}
    except Exception as error:
        answer = {'id': number, 'error': f'{type(error).__name__}: {error}'}
    print('answer ' + json.dumps(answer), flush=True)
