"""A robot of the link in Python: python peer.py DESCRIPTORS PORT COUNT

Knows proto/ and docs/link.md only. Waits until the learner's side says where the robot's stream stands, publishes COUNT
transitions in batches until all of them are acknowledged, and prints the newest policy that came as JSON.
"""

import json
import sys
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench" / "link"))
from link_messages import kinds

Envelope, Batch, Position, SignedPolicy = kinds(
    sys.argv[1], *(f"iq_learn_link.{name}" for name in ("Envelope", "StreamBatch", "StreamPosition", "SignedPolicy"))
)
Policy, Transition = kinds(sys.argv[1], "iq_learn.PolicyBundle", "iq_learn.Transition")

ROOT, COUNT, EPOCH = "iq_learn/fleet/rover-1", int(sys.argv[3]), 7
state = {"received": None, "policy": None, "sequence": 0}
changed = threading.Condition()


def on_message(_client, _data, message):
    envelope = Envelope.FromString(message.payload)
    with changed:
        if envelope.type == "iq_learn_link/msg/StreamPosition":
            position = Position.FromString(envelope.payload)
            state["received"] = position.received if position.epoch == EPOCH else 0
        else:
            state["policy"] = Policy.FromString(SignedPolicy.FromString(envelope.payload).bundle)
        changed.notify_all()


def publish(batch):
    envelope = Envelope(
        robot="rover-1",
        sender="python",
        sequence=state["sequence"],
        sent_ns=time.time_ns(),
        type="iq_learn_link/msg/StreamBatch",
        payload=batch.SerializeToString(),
    )
    state["sequence"] += 1
    client.publish(f"{ROOT}/stream", envelope.SerializeToString(), qos=1).wait_for_publish()


def record(batch, number):
    transition = Transition(
        robot="trolley",
        session="python",
        sequence=number - 1,
        observation=[number, 0.5],
        action=[-0.25],
        next_observation=[number + 1, -0.5],
        reward=float("nan"),
    )
    batch.records.add(sequence=number, topic="/transitions", payload=transition.SerializeToString())


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="rover-1", protocol=mqtt.MQTTv5)
client.on_message = on_message
client.connect("127.0.0.1", int(sys.argv[2]))
client.subscribe([(f"{ROOT}/stream_position", 1), (f"{ROOT}/signed_policy", 1)])
client.loop_start()
deadline = time.monotonic() + 60
with changed:
    while state["received"] is None or state["policy"] is None:
        if not changed.wait(deadline - time.monotonic()):
            sys.exit(f"nothing from the learner's side: {state}")
for first in range(1, COUNT + 1, 40):
    last = min(first + 39, COUNT)
    batch = Batch(robot="rover-1", epoch=EPOCH, previous=first - 1)
    for number in range(first, last + 1):
        record(batch, number)
    publish(batch)
    publish(batch)  # whatever comes twice is taken once
with changed:
    while state["received"] < COUNT:
        if not changed.wait(deadline - time.monotonic()):
            sys.exit(f"not acknowledged: {state['received']} of {COUNT}")
client.disconnect()
policy = state["policy"]
print(json.dumps({"robot": policy.robot, "version": policy.version, "model": list(policy.model), "manifest": policy.manifest}))
