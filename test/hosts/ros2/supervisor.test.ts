import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProgramExecutable } from '#src/hosts/ros2/executable.js';
import { supervisor } from '#src/hosts/ros2/executables/supervisor.js';
import { KeyPad, type Meaning } from '#src/hosts/ros2/key-pad.js';
import { ParameterSet } from '#src/hosts/ros2/parameters.js';
import type { Logger } from '#src/platform/index.js';
import { writeBundle } from '#src/policy/index.js';
import { spec, trolleyBundle, until } from '../../nodes/toy.js';
import { FakeRos } from './fake-ros.js';

let folder: string;
let ros: FakeRos;
let loaded: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iq-trials-'));
  for (const [i, name] of ['a', 'b'].entries())
    writeBundle(join(folder, name, 'policy'), await trolleyBundle(i + 1, i === 0 ? -4 : 4));
  ros = new FakeRos('supervisor');
  loaded = [];
  ros.broker.connect().serve('/policy/load_policy', 'iq_learn/srv/LoadPolicy', async ({ path }) => {
    loaded.push(path);
    return { success: true, message: '', policy_version: 1n };
  });
});
afterEach(async () => {
  await ros.broker.close();
  rmSync(folder, { recursive: true });
});

describe('the supervisor executable', () => {
  const keys: Readonly<Record<Meaning, string>> = {
    start: 's',
    stop: ' ',
    success: 'y',
    failure: 'n',
    discard: 'd',
    estop: 'x',
    reset: 'r',
    quit: 'q',
  };

  it('is driven by keys, tells what it counts, and ends with the table', async () => {
    const executable = supervisor as ProgramExecutable;
    const set = new ParameterSet(executable.schema(spec));
    const values = Object.fromEntries(set.declarations.map(({ name, default: value }) => [name, value]));
    const parameters = set.parse({
      ...values,
      policies: `${join(folder, 'a/policy')},${join(folder, 'b/policy')}`,
      trials: 1,
      recorder: false,
      out: join(folder, 'out'),
    });
    const said: string[] = [];
    const lines: string[] = [];
    const pad = new KeyPad({
      transport: ros.broker.connect(),
      screen: { line: (text) => lines.push(text), say: (text) => said.push(text) },
      keys,
      estopTopic: spec.estopTopic,
      namespace: '',
    });
    expect(pad.help).toContain('y success');
    const estops: boolean[] = [];
    ros.broker.connect().subscribe('/estop', 'std_msgs/msg/Bool', ({ data }) => estops.push(data));
    const logger = { info() {}, warn() {}, error() {}, debug() {} } as unknown as Logger;
    const out: string[] = [];
    const write = process.stdout.write;
    const running = executable.run({
      ros,
      spec,
      parameters: parameters as never,
      logger,
      signal: new AbortController().signal,
    });
    const press = async (key: string, expected: RegExp): Promise<void> => {
      const { length } = said;
      expect(pad.press(key)).toBe(true);
      await until(() => said.length > length, `an answer to ${key}`);
      expect(said.at(-1)).toMatch(expected);
    };
    await until(() => lines.length > 0, 'the first line');
    await press('y', /success is refused: no episode is running/);
    await press('s', /episode 1 is running: trial 1 of 2, policy [ab]; 0 of 2 kept/);
    pad.press('x');
    await until(() => estops.length === 1, 'the emergency stop');
    await press('y', /episode 1 is a success after/);
    await press('s', /trial 2 of 2/);
    await press('n', /2 of 2 kept: start again to finish/);
    await until(() => /kept 2 of 2: 1 success \(50 %\), 1 failure/.test(lines.at(-1)!), 'the counts on the screen');
    expect(pad.press('q')).toBe(false);
    process.stdout.write = ((text: string) => out.push(text) > 0) as never;
    try {
      await press('s', /the session is finished/);
      expect(await running).toBe(0);
    } finally {
      process.stdout.write = write;
    }
    pad.close();
    expect(out.join('')).toMatch(/policy +success[\s\S]*report: .*report\.html/);
    expect(loaded.map((path) => path.slice(folder.length)).sort()).toEqual(['/a/policy', '/b/policy']);
  });
});
