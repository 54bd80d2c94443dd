import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { RecordingWriter } from '#src/demonstrations/index.js';
import { LearnerNode, type NodeContext, PolicyNode, RecorderNode } from '#src/nodes/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import type { LearningClient } from '#src/training/index.js';
import { qos } from '#src/transport/index.js';
import { Rig, trolleyBundle } from './toy.js';

const document = readFileSync(fileURLToPath(new URL('../../docs/security.md', import.meta.url)), 'utf8');
const policyFile = readFileSync(new URL('../../config/security/rover.policy.xml', import.meta.url), 'utf8');
const robot = loadRobotSpec('rover');

let rig: Rig;
const folder = mkdtempSync(join(tmpdir(), 'iq-permissions-'));
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The names that a node opens, by what it does with them. */
interface Opened {
  readonly advertise: Set<string>;
  readonly subscribe: Set<string>;
  readonly serve: Set<string>;
}

/** A context whose transport keeps the names that are opened on it. */
function watched(node: string): [NodeContext, Opened] {
  const opened: Opened = { advertise: new Set(), subscribe: new Set(), serve: new Set() };
  const context = rig.context(node);
  const transport = new Proxy(context.transport, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const seen = name in opened ? opened[name as keyof Opened] : undefined;
      return (...given: unknown[]): unknown => {
        seen?.add(String(given[0]));
        return Reflect.apply(value, target, given);
      };
    },
  });
  return [{ ...context, transport }, opened];
}

/** The row of the document's table for a node: what it publishes, subscribes to and serves. */
function documented(node: string): string[][] {
  const row = document.split('\n').find((line) => line.startsWith(`| \`${node}\` |`));
  expect(row, `a row for ${node} in docs/security.md`).toBeDefined();
  return row!
    .split('|')
    .slice(2, 5)
    .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!).sort());
}

/** What SROS2's policy file lets a node publish, subscribe to and serve, in the words of the table: without what every node has. */
function permitted(node: string): string[][] {
  const enclave = new RegExp(`<enclave path="/iq_learn/${node}">(.*?)</enclave>`, 's').exec(policyFile)?.[1];
  const own = /<!-- Its own. -->(.*?)<!-- What every/s.exec(enclave ?? '')?.[1];
  expect(own, `an enclave for ${node} in the policy file`).toBeDefined();
  return ['topics publish', 'topics subscribe', 'services reply'].map((list) => {
    const block = new RegExp(`<${list}="ALLOW">(.*?)</${list.split(' ')[0]!}>`, 's').exec(own!)?.[1] ?? '';
    return [...block.matchAll(/<(?:topic|service)>([^<]+)</g)].map(([, name]) => name!).sort();
  });
}

it('docs/security.md and the policy file list, for SROS2, exactly the topics and services that the nodes of a robot open', async () => {
  rig = new Rig({ robot });
  const [learning, learner] = watched('learner');
  const start = { version: 0, updates: 0, transitions: 0, segments: 0, metrics: {}, bundle: await trolleyBundle(0) };
  const client = {
    start: { ...start, demonstrations: 1, seconds: 0 },
    listen: () => undefined,
    deployed: async () => start.bundle,
    stop: async () => null,
  };
  const [driving, policy] = watched('policy');
  const [recording, recorder] = watched('recorder');
  const writer = await RecordingWriter.create(join(folder, 'r'), { spec: robot, session: 's' });
  rig.start(new LearnerNode(learning, client as unknown as LearningClient, {}));
  rig.start(new PolicyNode(driving, { pace: 'realtime' }));
  rig.start(new RecorderNode(recording, writer));
  // The policy node listens to its command topic once another publishes there.
  for (const { topic, type } of robot.commands) {
    rig.context('another').transport.advertise(topic, type, qos.command);
    await vi.waitFor(() => expect(policy.subscribe).toContain(topic), 10_000);
  }
  for (const [name, { advertise, subscribe, serve }] of Object.entries({ policy, learner, recorder })) {
    const opened = [name, ...[advertise, subscribe, serve].map((names) => [...names].sort())];
    expect([name, ...documented(name)]).toEqual(opened);
    expect([name, ...permitted(name)]).toEqual(opened);
  }
});
