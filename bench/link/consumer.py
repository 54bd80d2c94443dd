"""The learner's side in Python: consumer.py DESCRIPTORS PORT COUNT FILE

paho-mqtt, protobuf (its C core, upb) and a replay buffer of numpy arrays, with the work that our side does: each record is
taken once and in its order, its names, sizes and numbers are checked, actions and observations are normalised, and the
robot is told how far its stream has come: as by our side, after a quarter of what it may have under way, at once where
something came again, and every second. Numbers are gathered in a list and become arrays once for
each batch, which takes two thirds of the time of writing row by row. Says `ready`, and writes seconds of CPU and wall clock
since the first to FILE.
"""

import json
import sys
import threading
import time

import numpy
import paho.mqtt.client as mqtt
from google.protobuf.internal import api_implementation
from link_messages import kinds

Envelope, Batch, Position, Transition = kinds(
    sys.argv[1], "iq_learn_link.Envelope", "iq_learn_link.StreamBatch", "iq_learn_link.StreamPosition", "iq_learn.Transition"
)
COUNT = int(sys.argv[3])
NAME, ROBOT = "rover-1", "rover"
BATCH = "iq_learn_link/msg/StreamBatch"
O, A = 14, 2
WIDTH = 2 * O + A
CAPACITY = 1_000_000
LARGEST = 2 * 1024 * 1024
# As of a robot whose demonstrations and whose description give them.
MEAN, SCALE = numpy.zeros(O, numpy.float32), numpy.ones(O, numpy.float32)
LOW, HIGH = -numpy.ones(A, numpy.float32), numpy.ones(A, numpy.float32)
MOST, CLIP = 30, 0.999
# Bytes that may be stored, and seconds that may pass, before the robot is told of it.
QUIET_BYTES, QUIET_SECONDS = 1024 * 1024 / 4, 1.0


class Buffer:
    """A ring of the newest transitions."""

    def __init__(self):
        self.observations = numpy.zeros((CAPACITY, O), numpy.float32)
        self.actions = numpy.zeros((CAPACITY, A), numpy.float32)
        self.next_observations = numpy.zeros((CAPACITY, O), numpy.float32)
        self.continues = numpy.zeros(CAPACITY, numpy.float32)
        self.added = 0

    def add(self, rows, terminated):
        """Stores rows of observation, action and next observation; leaves out those with a number that is not finite."""
        finite = numpy.isfinite(rows).all(axis=1)
        if not finite.all():
            rows, terminated = rows[finite], terminated[finite]
        actions = numpy.clip(2 * (rows[:, O : O + A] - LOW) / (HIGH - LOW) - 1, -CLIP, CLIP)
        before = numpy.clip((rows[:, :O] - MEAN) / SCALE, -MOST, MOST)
        after = numpy.clip((rows[:, O + A :] - MEAN) / SCALE, -MOST, MOST)
        at = self.added % CAPACITY
        fits = min(len(rows), CAPACITY - at)
        for to, of in ((slice(at, at + fits), slice(0, fits)), (slice(0, len(rows) - fits), slice(fits, len(rows)))):
            self.observations[to] = before[of]
            self.actions[to] = actions[of]
            self.next_observations[to] = after[of]
            self.continues[to] = 1 - terminated[of]
        self.added += len(rows)


buffer = Buffer()
senders = {}
sessions = {}
epoch = received = refused = repeated = said = unsaid = 0
said_at = 0.0
began = None
done = threading.Event()


def unsealed(payload):
    """The batch in an envelope; None where it is refused."""
    if len(payload) > LARGEST:
        return None
    envelope = Envelope.FromString(payload)
    if envelope.robot != NAME or envelope.type != BATCH or envelope.sequence <= senders.get(envelope.sender, -1):
        return None
    batch = Batch.FromString(envelope.payload)
    senders[envelope.sender] = envelope.sequence
    return batch


def take(batch):
    """Stores what is new of a batch that follows on what has come."""
    global epoch, received, refused, repeated, unsaid
    if batch.robot != NAME or batch.epoch < epoch:
        return
    if batch.epoch > epoch:
        epoch, received = batch.epoch, 0
    if batch.previous > received:
        return
    numbers = []
    terminated = []
    for record in batch.records:
        if record.sequence <= received:
            repeated += 1
            continue
        received = record.sequence
        payload = record.payload
        unsaid += len(payload)
        if record.topic != "/transitions":
            continue
        transition = Transition.FromString(payload)
        observation, action, following = transition.observation, transition.action, transition.next_observation
        if transition.robot != ROBOT or len(observation) != O or len(action) != A or len(following) != O:
            refused += 1
            continue
        session, sequence = transition.session, transition.sequence
        if sequence < sessions.get(session, 0):
            repeated += 1
            continue
        sessions[session] = sequence + 1
        numbers += observation
        numbers += action
        numbers += following
        terminated.append(transition.terminated)
    rows = numpy.array(numbers, numpy.float32).reshape(len(terminated), WIDTH)
    buffer.add(rows, numpy.array(terminated, numpy.float32))


def announce(client):
    global said, said_at, unsaid
    unsaid, said_at = 0, time.monotonic()
    position = Position(robot=NAME, epoch=epoch, received=received)
    envelope = Envelope(
        robot=NAME,
        sender="learner",
        sequence=said,
        sent_ns=time.time_ns(),
        type="iq_learn_link/msg/StreamPosition",
        payload=position.SerializeToString(),
    )
    said += 1
    client.publish(f"iq_learn/fleet/{NAME}/stream_position", envelope.SerializeToString(), qos=1, retain=True)


def on_message(client, _data, message):
    global began
    if began is None:
        began = (time.process_time(), time.perf_counter())
    batch = unsealed(message.payload)
    if batch is None:
        return
    before = repeated
    take(batch)
    if unsaid >= QUIET_BYTES or repeated > before or time.monotonic() - said_at >= QUIET_SECONDS:
        announce(client)
    if buffer.added >= COUNT:
        done.set()


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="learner", protocol=mqtt.MQTTv5)
client.on_message = on_message
client.on_subscribe = lambda *_: print("ready", api_implementation.Type(), flush=True)
client.connect("127.0.0.1", int(sys.argv[2]))
client.subscribe("iq_learn/fleet/rover-1/stream", 1)
client.loop_start()
done.wait()
with open(sys.argv[4], "w") as file:
    json.dump({"cpu": time.process_time() - began[0], "wall": time.perf_counter() - began[1]}, file)
client.disconnect()
