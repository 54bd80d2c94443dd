"""The learner's side in Python: consumer.py DESCRIPTORS PORT COUNT FILE

paho-mqtt, protobuf (its C core, upb) and a replay buffer of numpy arrays, as one would write it: each transition is decoded and
its numbers go into the row of a ring. Says `ready`, and writes seconds of CPU and wall clock since the first to FILE.
"""

import json
import sys
import threading
import time

import numpy
import paho.mqtt.client as mqtt
from google.protobuf.internal import api_implementation
from link_messages import kinds

Envelope, Batch, Transition = kinds(sys.argv[1], "iq_learn_link.Envelope", "iq_learn_link.StreamBatch", "iq_learn.Transition")
COUNT = int(sys.argv[3])
CAPACITY = 1_000_000
buffer = None
added = 0
began = None
done = threading.Event()


def on_message(_client, _data, message):
    global buffer, added, began
    if began is None:
        began = (time.process_time(), time.perf_counter())
    batch = Batch.FromString(Envelope.FromString(message.payload).payload)
    for record in batch.records:
        transition = Transition.FromString(record.payload)
        if buffer is None:
            sizes = len(transition.observation), len(transition.action)
            buffer = {
                "observations": numpy.zeros((CAPACITY, sizes[0]), numpy.float32),
                "actions": numpy.zeros((CAPACITY, sizes[1]), numpy.float32),
                "next_observations": numpy.zeros((CAPACITY, sizes[0]), numpy.float32),
                "continues": numpy.zeros(CAPACITY, numpy.float32),
            }
        row = added % CAPACITY
        buffer["observations"][row] = transition.observation
        buffer["actions"][row] = transition.action
        buffer["next_observations"][row] = transition.next_observation
        buffer["continues"][row] = 0 if transition.terminated else 1
        added += 1
    if added >= COUNT:
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
