import mqtt from 'mqtt';
import { loadRobotSpec } from '../../src/robot/index.js';
import { envelopes, jsonBatches, transitions } from './traffic.js';

// A robot that has a backlog: publisher.js PORT TOPIC FORM COUNT SIZE publishes all of it when a line comes on stdin.

const [port, topic, form, count, size] = process.argv.slice(2) as [string, string, string, string, string];
const spec = loadRobotSpec('rover');
const batches: Uint8Array[] = [];
// Part by part: a million transitions at once would not fit into memory as objects.
const PART = 64 * Number(size);
for (let first = 0; first < Number(count); first += PART) {
  const part = transitions(spec, Math.min(PART, Number(count) - first), first);
  const made = form === 'json' ? jsonBatches(part, Number(size)) : envelopes('rover-1', part, Number(size), first);
  for (const batch of made) batches.push(batch);
}
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
process.stdout.write(`ready ${batches.reduce((sum, { length }) => sum + length, 0)}\n`);
await new Promise((resolve) => process.stdin.once('data', resolve));
// As many under way as a robot's window of 1 MB allows.
const window = Math.max(1, Math.floor((1024 * 1024) / batches[0]!.length));
let next = 0;
const send = async (): Promise<void> => {
  while (next < batches.length) await client.publishAsync(topic, batches[next++]! as Buffer, { qos: 1 });
};
await Promise.all(Array.from({ length: window }, send));
await client.endAsync();
process.exit(0);
