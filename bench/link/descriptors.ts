import { join } from 'node:path';
import protobufjs from 'protobufjs';
import 'protobufjs/ext/descriptor.js';

/** The schemas in proto/ as a FileDescriptorSet, as Python's protobuf takes them; `root` is the folder of the project. */
export async function descriptors(root: string): Promise<Uint8Array> {
  const files = ['iq_learn.proto', 'iq_learn_link.proto'].map((name) => join(root, 'proto', name));
  const loaded = (await protobufjs.load(files)) as unknown as {
    toDescriptor(syntax: string): protobufjs.Message & { $type: protobufjs.Type };
  };
  const set = loaded.toDescriptor('proto3');
  return set.$type.encode(set).finish();
}
