import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readDemonstrations } from '#src/demonstrations/index.js';
import { writeBundle } from '#src/policy/index.js';
import { parseRobotSpec } from '#src/robot/index.js';
import { specText, trolleyBundle } from '../../nodes/toy.js';
import { describeWithRos, type RosProcess, startExecutable } from '../../support/ros.js';
import { Driver, type Json } from './driver.js';

const text = specText.replace('task: trolley\n', '').replace('timeout_ms: 200, frame_id', 'timeout_ms: 1000, frame_id');
const speed = (message: Json): number => message.twist.linear.x;

// As evaluate.launch.py starts them, with a person at the keyboard.
describeWithRos('two policies on a robot, judged by a person, over DDS', () => {
  let folder: string;
  let driver: Driver;
  let nodes: RosProcess[];
  let supervisor: RosProcess;
  let keys: RosProcess;
  const start = (name: string, parameters: Record<string, unknown>): RosProcess =>
    startExecutable(name, [
      '--ros-args',
      ...Object.entries({ robot: join(folder, 'trolley.yaml'), ...parameters }).flatMap(([key, value]) => [
        '-p',
        `${key}:=${value}`,
      ]),
    ]);
  const press = async (key: string, answer: RegExp): Promise<void> => {
    keys.send(key);
    const said = await keys.line(new RegExp(`${answer.source}|is refused|^\\w+: `), 90_000);
    expect(said, keys.output).toMatch(answer);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'iq-ros-session-'));
    writeFileSync(join(folder, 'trolley.yaml'), text);
    writeBundle(join(folder, 'home/policy'), await trolleyBundle(1));
    writeBundle(join(folder, 'away/policy'), await trolleyBundle(2, 4));
    driver = await Driver.start();
    await driver.subscribe('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    nodes = [
      start('policy', { autostart: true, supervised: true }),
      start('recorder', { recordings: folder, session: 'trials' }),
    ];
    supervisor = start('supervisor', {
      policies: `${join(folder, 'home/policy')},${join(folder, 'away/policy')}`,
      trials: 1,
      out: join(folder, 'out'),
    });
    keys = start('keys', {});
    const odometry = { header: { frame_id: 'odom' }, pose: { pose: { position: { x: 1 } } } };
    await driver.repeat('/odom', 'nav_msgs/msg/Odometry', odometry, 40, { reliability: 'best_effort', depth: 5 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('drives each policy in its trial, and none between them', async () => {
    await keys.line(/s start/, 90_000);
    // The recorder refuses an episode until it has heard the state, and hears it later than the policy node where it is slow.
    await keys.line(/waiting · episode 0 .*robot IDLE: between episodes.*\/odom [1-9]/, 90_000);
    for (const [i, verdict] of (['y', 'n'] as const).entries()) {
      await press('s', new RegExp(`trial ${i + 1} of 2, policy (home|away)`));
      const policy = keys.output.match(/policy (home|away)/g)!.at(-1)!;
      const sign = policy === 'policy home' ? -1 : 1;
      // Long enough for transitions: on an idle machine the person would be faster than the robot's rate.
      for (let n = 0; n < 5; n++) {
        await driver.until('/cmd_vel', (message) => speed(message) * sign > 0.9, `commands of ${policy}`);
        await driver.take('/cmd_vel');
      }
      await press(verdict, verdict === 'y' ? /episode 1 is a success/ : /episode 2 is a failure/);
      await driver.until('/cmd_vel', (message) => speed(message) === 0, 'a stop between the trials');
    }
  });

  it('ends with a table and a report, and recordings that have the verdicts', async () => {
    await press('s', /the session is finished/);
    expect(await supervisor.exited, supervisor.output).toEqual({ code: 0, signal: null });
    expect(supervisor.output).toMatch(/policy +success +95 % interval/);
    expect(supervisor.output).toMatch(/(home|away) +1 of 1 \(100 %\)/);
    expect(readFileSync(join(folder, 'out/report.html'), 'utf8')).toContain('2 of 2 trials');
    keys.send('q');
    expect(await keys.exited, keys.output).toEqual({ code: 0, signal: null });
    for (const node of nodes) node.kill('SIGINT');
    for (const node of nodes) expect(await node.exited, node.output).toEqual({ code: 0, signal: null });
    expect(readdirSync(folder)).toContain('trials');
    const spec = parseRobotSpec(text, 'trolley.yaml');
    const { episodes } = await readDemonstrations([join(folder, 'trials')], spec, { action: 'command' });
    expect(new Set(episodes.map(({ success }) => success))).toEqual(new Set([true, false]));
  });
});
