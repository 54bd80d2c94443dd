"""The messages of the link for Python, from the schemas in proto/ as a FileDescriptorSet."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def kinds(path, *names):
    """The classes of the messages with these names, of the schemas in the file."""
    pool = descriptor_pool.DescriptorPool()
    with open(path, "rb") as file:
        for each in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
            pool.Add(each)
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names]
