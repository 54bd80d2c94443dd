import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { messageTypeNames, rosMessageTypeNames, rosServiceTypeNames } from '#src/messages/index.js';

import { messageKinds } from '#src/robot/kinds/registry.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const short = (type: string): string => type.slice(type.lastIndexOf('/') + 1);
const having = (has: (kind: (typeof messageKinds)[number]) => unknown): string[] =>
  messageKinds.filter((kind) => has(kind) !== undefined).map(({ type }) => short(type));

describe('the registry of message kinds', () => {
  test('has each type once, and every type has a definition', () => {
    const types = messageKinds.map(({ type }) => type);
    expect(new Set(types).size).toBe(types.length);
    expect(types.filter((type) => !messageTypeNames.includes(type))).toEqual([]);
  });

  test('package.xml depends on the package of every type, and on no other message package', () => {
    const needed = [...rosMessageTypeNames, ...rosServiceTypeNames].map((type) => type.split('/')[0]!);
    const depends = [...read('package.xml').matchAll(/<(?:exec_)?depend>(\w+)</g)].map((match) => match[1]!);
    const packages = depends.filter((name) => /_(msgs|srvs|interfaces)$/.test(name) && name !== 'builtin_interfaces');
    expect(packages.sort()).toEqual([...new Set(needed)].filter((name) => name !== 'iq_learn').sort());
  });

  test.each([
    ['state types', having(({ state }) => state)],
    ['`field`', having(({ state }) => state?.fields)],
    ['command types', having(({ command }) => command)],
  ])("the robot README's row of %s names them all, and no other", (row, types) => {
    const cell = read('src/robot/README.md')
      .split('\n')
      .find((line) => line.startsWith(`| ${row}`))!
      .split('|')[2]!;
    expect([...cell.matchAll(/\b[A-Z]\w+/g)].map(([name]) => name).sort()).toEqual([...types].sort());
  });
});

const definition = `# What the drive of a made-up vehicle is told, and what it says of itself.
std_msgs/Header header  # when
float64 speed           # m/s
float64 steering        # rad
`;
const entry = `  {
    type: 'iq_learn/msg/Drive',
    state: { fields: true },
    command: pathCommand('iq_learn/msg/Drive'),
    fromReadings: (readings, { header, need }) => ({
      header,
      speed: need(readings.odometry, 'odometry').linear[0],
      steering: need(readings.joints, 'joints').position[0]!,
    }),
  },
`;
const robot = `
robot: made_up
description: A vehicle with a message type of its own.
rate_hz: 10
frame_id: base_link
state:
  /drive/state: { type: iq_learn/msg/Drive, timeout_ms: 500 }
observation:
  - { name: speed, topic: /drive/state, field: speed, unit: m/s }
  - { name: steering, topic: /drive/state, field: steering, unit: rad, low: -0.5, high: 0.5 }
command: { topic: /drive, type: iq_learn/msg/Drive, timeout_ms: 500 }
teleop: { topic: /teleop/drive }
action:
  - { name: speed, path: speed, unit: m/s, low: -1, high: 3 }
  - { name: steering, path: steering, unit: rad, low: -0.5, high: 0.5 }
estop_topic: /estop
stop: zero
`;
const use = `
import { decode, encode } from './dist/src/messages/index.js';
import { createActionMapper, createObservationAssembler, parseRobotSpec, readingsToMessages } from './dist/src/robot/index.js';
const spec = parseRobotSpec(process.argv[1], 'made_up.yaml');
const assembler = createObservationAssembler(spec);
const readings = {
  odometry: { pose: { position: [0, 0, 0], orientation: [0, 0, 0, 1] }, linear: [1.5, 0, 0], angular: [0, 0, 0] },
  joints: { names: ['steering'], position: [0.75], velocity: [0], effort: [0] },
};
const [state] = readingsToMessages(readings, spec, 1_000_000_000n);
assembler.accept(state.topic, decode(state.type, encode(state.type, state.message)), 0n);
const mapper = createActionMapper(spec);
const command = encode(mapper.type, mapper.toMessage([2, -0.25], 2_500_000_000n));
console.log(JSON.stringify({
  observation: [...assembler.assemble(0n).observation],
  command: decode('iq_learn/msg/Drive', command),
  action: [...mapper.fromMessage(decode('iq_learn/msg/Drive', command))],
}));
`;

test('a new message type is its definition and one entry: it can be observed, commanded and simulated', () => {
  const copy = mkdtempSync(join(tmpdir(), 'iq-kind-'));
  try {
    for (const path of ['src', 'msg', 'srv', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
      cpSync(join(root, path), join(copy, path), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    writeFileSync(join(copy, 'msg/Drive.msg'), definition);
    const registry = join(copy, 'src/robot/kinds/registry.ts');
    const text = readFileSync(registry, 'utf8');
    const list = 'export const messageKinds: readonly MessageKind[] = [\n';
    expect(text).toContain(list);
    writeFileSync(registry, text.replace(list, list + entry));

    const run = (...args: string[]): string => execFileSync(process.execPath, args, { cwd: copy, encoding: 'utf8' });
    run('scripts/generate-messages.mjs');
    run(join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json');
    expect(JSON.parse(run('--input-type=module', '-e', use, robot))).toEqual({
      observation: [1.5, 0.5],
      command: {
        header: { stamp: { sec: 2, nanosec: 500_000_000 }, frame_id: 'base_link' },
        speed: 2,
        steering: -0.25,
      },
      action: [2, -0.25],
    });
  } finally {
    rmSync(copy, { recursive: true });
  }
}, 120_000);
