import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageTypes } from '#src/messages/index.js';
import { ExpertNode, PolicyNode, type PolicyParameters, SimulatorNode } from '#src/nodes/index.js';
import { type PolicyBundle, writeBundle } from '#src/policy/index.js';
import { parseRobotSpec } from '#src/robot/index.js';
import { diagnosed, driver, type Rig, spec, specText, Trolley, trolleyBundle } from './toy.js';
import { quickPolicy, VirtualTime } from './virtual-time.js';

type Status = MessageTypes['iq_learn/msg/PolicyStatus'];

let time: VirtualTime;
let rig: Rig;
let task: Trolley;
let commands: MessageTypes['geometry_msgs/msg/TwistStamped'][];
let statuses: Status[];
const begin = (robot = spec): void => {
  time = new VirtualTime(robot);
  rig = time.rig;
  task = new Trolley();
  commands = rig.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
  statuses = rig.listen('/policy_status', 'iq_learn/msg/PolicyStatus');
};
beforeEach(() => begin());
afterEach(() => time.close());
// Policies that come are read and verified in real time.
const until = (holds: () => boolean, what: string): Promise<void> => time.until(holds, what, 1e6);

const simulate = (): SimulatorNode =>
  rig.start(new SimulatorNode(rig.context('simulator'), task, { pace: 'realtime' }));
const policy = async (parameters: PolicyParameters = {}, gain = 4): Promise<PolicyNode> =>
  rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime', ...parameters }, await quickPolicy(gain, spec)));
const speed = (): number => commands.at(-1)?.twist.linear.x ?? Number.NaN;
const bundle = (files: PolicyBundle, version: number, epoch: bigint): MessageTypes['iq_learn/msg/PolicyBundle'] => ({
  header: { stamp: { sec: 0, nanosec: 0 }, frame_id: '' },
  robot: 'trolley',
  epoch,
  version: BigInt(version),
  model: files.model,
  manifest: files.manifest,
});

/** Keeps the trolley going: an episode after the other. */
async function drive(): Promise<void> {
  await rig.startEpisode('/simulator/start_episode', 6);
  await until(() => Math.abs(speed()) > 0.5, 'driving');
}

describe('fault F35: two for one robot', () => {
  it('the policy node that came last has it; the other stops, says so, and has it back when activated again', async () => {
    simulate();
    const first = await policy({ session: 'first' });
    await drive();
    const other: Status = { ...statuses.at(-1)!, session: 'second', epoch: statuses.at(-1)!.epoch + 1n };
    rig.say('/policy_status', 'iq_learn/msg/PolicyStatus', other);
    await until(() => diagnosed(first, 'policy') !== '' && first.status().level === 2, 'ERROR');
    await until(() => speed() === 0, 'the stop');
    expect(first.status().message).toMatch(/another policy node \(session second\)/);
    const count = commands.length;
    await time.pass(150); // three periods
    expect(commands.length).toBe(count);
    first.deactivate();
    first.activate();
    await drive();
    await until(() => statuses.at(-1)?.state === 'RUNNING', 'its status');
    expect(statuses.at(-1)).toMatchObject({ session: 'first', epoch: expect.any(BigInt) });
  });

  it('a policy node that came before is told of, once, and ignored', async () => {
    simulate();
    await policy({ session: 'second' });
    await drive();
    const other: Status = { ...statuses.at(-1)!, session: 'first', epoch: 1n };
    for (let i = 0; i < 3; i++) rig.say('/policy_status', 'iq_learn/msg/PolicyStatus', other);
    await rig.broker.idle();
    expect(rig.records.filter(({ message }) => /came before this one/.test(message)).length).toBe(1);
    expect(Math.abs(speed())).toBeGreaterThan(0.5);
  });

  it('policies of a learner that was replaced are refused; those of the new one count from anywhere', async () => {
    simulate();
    const node = await policy();
    const say = async (version: number, epoch: bigint): Promise<void> =>
      rig.say('/policy', 'iq_learn/msg/PolicyBundle', bundle(await trolleyBundle(version, 4), version, epoch), true);
    await drive();
    await say(7, 10n);
    await until(() => diagnosed(node, 'policy').startsWith('trolley/7/'), 'the learner');
    await say(3, 20n); // resumed from a checkpoint, so it counts from there
    await until(() => diagnosed(node, 'policy').startsWith('trolley/3/'), 'the learner that came after it');
    await say(8, 10n);
    await until(() => diagnosed(node, 'policies_refused') === '1', 'the refusal');
    expect(diagnosed(node, 'last_refusal')).toMatch(/epoch 10/);
    expect(diagnosed(node, 'policy')).toMatch(/^trolley\/3\//);
  });
});

describe('a person and the policy', () => {
  it('tells when a person takes over and hands back', async () => {
    const interventions = rig.listen('/interventions', 'iq_learn/msg/Intervention');
    simulate();
    const node = await policy({ session: 's' });
    rig.start(new ExpertNode(rig.context('expert'), driver, { engaged: false }));
    const engage = (data: boolean) =>
      rig.transport.call('/expert/engage', 'std_srvs/srv/SetBool', { data }, { timeoutMs: 60_000 });
    await drive();
    await engage(true);
    await until(() => interventions.length === 1, 'the beginning');
    await engage(false);
    await until(() => interventions.length === 2, 'the end');
    expect(interventions).toMatchObject([
      { active: true, robot: 'trolley', session: 's', reason: '' },
      { active: false, robot: 'trolley', session: 's' },
    ]);
    expect(diagnosed(node, 'takeovers')).toBe('1');
  });

  it('counts teleoperation only while the dead-man button is held; let go while driving, the robot stops until a reset', async () => {
    await time.close();
    const text = specText.replace(
      'teleop: { topic: /teleop/cmd_vel, timeout_ms: 200 }',
      'teleop: { topic: /teleop/cmd_vel, timeout_ms: 1000, deadman: { topic: /joy, button: 1, timeout_ms: 10000 } }',
    );
    begin(parseRobotSpec(text, 'trolley.yaml'));
    simulate();
    const node = await policy();
    const header = { stamp: { sec: 0, nanosec: 0 }, frame_id: '' };
    const joy = (held: 0 | 1): void => rig.say('/joy', 'sensor_msgs/msg/Joy', { header, axes: [], buttons: [0, held] });
    const zero = { x: 0, y: 0, z: 0 };
    const person = (x: number): void =>
      rig.say('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', {
        header,
        twist: { linear: { x, y: 0, z: 0 }, angular: zero },
      });
    await drive();
    person(-0.25);
    await until(() => diagnosed(node, 'takeovers_unheld') === '1', 'a command without the button');
    joy(1);
    await rig.broker.idle();
    person(-0.25);
    await until(() => speed() === -0.25, 'the person');
    joy(0);
    await rig.broker.idle();
    expect(speed()).toBe(0); // in the same turn, not at the next period
    expect(statuses.at(-1)).toMatchObject({
      state: 'ESTOP',
      reason: 'the dead-man button was let go: /joy: buttons[1] is not 1, expected 1',
    });
    await time.pass(150);
    expect(speed()).toBe(0);
    expect(await rig.trigger('/policy/reset_fault')).toMatchObject({ success: true });
    await drive();
  });

  it('pauses: stops at once, lets a person drive, and goes on when told to', async () => {
    simulate();
    await policy();
    await drive();
    expect(await rig.trigger('/policy/pause')).toMatchObject({ success: true });
    await rig.broker.idle();
    expect(speed()).toBe(0);
    expect(statuses.at(-1)).toMatchObject({ state: 'HOLDING', reason: 'paused' });
    await time.pass(150);
    expect(speed()).toBe(0);
    expect(await rig.trigger('/policy/resume')).toMatchObject({ success: true });
    await drive();
  });

  it('loads a policy by its folder, and keeps the one it has where that is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'iq-load-'));
    try {
      writeBundle(join(folder, 'home'), await trolleyBundle(0, -4)); // an older version: it is what was asked for
      simulate();
      const node = await policy();
      await drive();
      const load = (path: string) =>
        rig.transport.call('/policy/load_policy', 'iq_learn/srv/LoadPolicy', { path }, { timeoutMs: 60_000 });
      expect(await load(join(folder, 'nothing'))).toMatchObject({ success: false, policy_version: -1n });
      expect(diagnosed(node, 'policy')).toMatch(/^trolley\/1\//);
      expect(await load(join(folder, 'home'))).toEqual({ success: true, message: '', policy_version: 0n });
      await rig.startEpisode('/simulator/start_episode', 6);
      await until(() => diagnosed(node, 'policy').startsWith('trolley/0/'), 'the policy asked for');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
