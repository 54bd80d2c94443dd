"""Checks our protobuf bytes with Python's protobuf: python protobuf_peer.py DESCRIPTORS MESSAGES

DESCRIPTORS is a FileDescriptorSet. MESSAGES has one JSON document a line: the name of the message, its bytes as we wrote
them (hexadecimal) and its fields. Each message is built here from its fields, and must have the same bytes; and our bytes,
read and written again, must be the same. Prints how many messages were compared.
"""

import json
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

with open(sys.argv[1], "rb") as file:
    files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
pool = descriptor_pool.DescriptorPool()
for each in files.file:
    pool.Add(each)


def number(field, value):
    if field.type in (field.TYPE_FLOAT, field.TYPE_DOUBLE):
        return float(value)
    return int(value) if isinstance(value, str) and field.type != field.TYPE_STRING else value


def fill(message, fields):
    for name, value in fields.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.is_repeated:
            for item in value:
                if field.message_type is not None:
                    fill(getattr(message, name).add(), item)
                else:
                    getattr(message, name).append(number(field, item))
        elif field.message_type is not None:
            getattr(message, name).SetInParent()
            fill(getattr(message, name), value)
        elif field.type == field.TYPE_BYTES:
            setattr(message, name, bytes(value))
        else:
            setattr(message, name, number(field, value))
    return message


compared = 0
with open(sys.argv[2], encoding="utf-8") as lines:
    for line in lines:
        given = json.loads(line)
        kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(given["type"]))
        ours = bytes.fromhex(given["bytes"])
        again = kind.FromString(ours).SerializeToString(deterministic=True)
        theirs = fill(kind(), given["fields"]).SerializeToString(deterministic=True)
        for what, found in ("read and written again", again), ("built from its fields", theirs):
            if found != ours:
                sys.exit(f"{given['type']} {what}: {found.hex()} where we wrote {ours.hex()}")
        compared += 1
print(compared)
