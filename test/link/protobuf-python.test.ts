import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type MessageTypes, messageTypeNames, protobuf } from '#src/messages/index.js';
import { anyMessage } from '../messages/arbitrary.js';
import { descriptors } from '../support/descriptors.js';
import { describeWithPython, runPython } from '../support/python.js';

const RUNS = 100;

/** JSON with 64-bit integers and numbers that JSON lacks as text, and arrays of numbers as lists. */
function json(document: object): string {
  return JSON.stringify(document, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
      return Object.is(value, -0) ? '-0.0' : String(value).replace('Infinity', 'inf');
    return ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
  });
}

describeWithPython("Python's protobuf", () => {
  it('writes every message of iq_learn and of the link with our bytes, and reads them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'protobuf-'));
    try {
      const types = messageTypeNames.filter((type) => /^iq_learn(_link)?\//.test(type));
      const lines = types.flatMap((type) =>
        fc.sample(anyMessage(type), { numRuns: RUNS, seed: 8 }).map((message) =>
          json({
            type: type.replace('/msg/', '.'),
            bytes: Buffer.from(protobuf.encode(type, message as MessageTypes[typeof type])).toString('hex'),
            fields: message,
          }),
        ),
      );
      writeFileSync(join(folder, 'messages.jsonl'), `${lines.join('\n')}\n`);
      writeFileSync(join(folder, 'descriptors.bin'), await descriptors());
      const printed = await runPython(
        'test/messages/protobuf_peer.py',
        join(folder, 'descriptors.bin'),
        join(folder, 'messages.jsonl'),
      );
      expect(Number(printed)).toBe(types.length * RUNS);
      expect(types).toHaveLength(22);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
