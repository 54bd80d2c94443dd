import protobufjs from 'protobufjs';
import 'protobufjs/ext/descriptor.js';

/** The schemas in proto/ as a FileDescriptorSet, as Python's protobuf takes them. */
export async function descriptors(): Promise<Uint8Array> {
  const root = await protobufjs.load(['proto/iq_learn.proto', 'proto/iq_learn_link.proto']);
  const set = (
    root as unknown as { toDescriptor(syntax: string): protobufjs.Message & { $type: protobufjs.Type } }
  ).toDescriptor('proto3');
  return set.$type.encode(set).finish();
}
