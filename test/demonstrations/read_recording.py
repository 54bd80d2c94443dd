"""Reads a recording with two independent libraries and prints what they found as JSON: python read_recording.py FOLDER"""

import json
import math
import sys
from pathlib import Path

from mcap_ros2.reader import read_ros2_messages
from rosbags.highlevel import AnyReader


def plain(value):
    """Messages, arrays and numbers as JSON; numbers that JSON lacks as text."""
    if isinstance(value, bool) or isinstance(value, str) or value is None:
        return value
    if isinstance(value, bytes):
        return list(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    names = getattr(value, "__dataclass_fields__", None) or value.__slots__
    return {name: plain(getattr(value, name)) for name in names if not name.startswith("__") and name.islower()}


folder = Path(sys.argv[1])
with AnyReader([folder]) as reader:
    by_rosbags = [
        [connection.topic, connection.msgtype, time, plain(reader.deserialize(data, connection.msgtype))]
        for connection, time, data in reader.messages()
    ]
    info = {
        "topics": {name: topic.msgcount for name, topic in reader.topics.items()},
        "start": reader.start_time,
        "duration": reader.duration,
        "count": reader.message_count,
    }
by_mcap = [
    [item.channel.topic, item.schema.name, item.log_time_ns, plain(item.ros_msg)]
    for item in read_ros2_messages(str(next(folder.glob("*.mcap"))))
]
print(json.dumps({"info": info, "rosbags": by_rosbags, "mcap": by_mcap}))
