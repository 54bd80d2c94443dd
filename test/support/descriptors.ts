import { fileURLToPath } from 'node:url';
import { descriptors as descriptorsOf } from '../../bench/link/descriptors.js';

/** The schemas in proto/ as a FileDescriptorSet, as Python's protobuf takes them. */
export const descriptors = (): Promise<Uint8Array> => descriptorsOf(fileURLToPath(new URL('../..', import.meta.url)));
