import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Random } from '#src/common/index.js';
import { Fleet, type FleetParts } from '#src/hosts/plain/fleet.js';
import type { Episode } from '#src/learning/index.js';
import { FLEET_SERVICE, linkTopics, type StreamPlace } from '#src/link/index.js';
import { emptyMessage, type MessageTypes, type PolicyBundleMessage, type Transition } from '#src/messages/index.js';
import type { RobotView } from '#src/nodes/index.js';
import type { PolicyBundle } from '#src/policy/index.js';
import { EmbeddedBroker, qos } from '#src/transport/index.js';
import { spec, trolleyBundle } from '../../nodes/toy.js';

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000, interval: 20 });
const robots = ['r1', 'r2', 'r3', 'r4'];
const random = new Random(4);
const STEPS = 30;
/** Drives from 1 towards the origin at this speed. */
const drive = (speed: number): { x: number; v: number }[] =>
  Array.from({ length: STEPS + 1 }, (_, t) => ({
    x: 1 - speed * 0.05 * t + random.uniform(-0.01, 0.01),
    v: -speed + random.uniform(-0.05, 0.05),
  }));
const demonstration = (): Episode => {
  const rows = drive(0.5);
  return {
    length: STEPS,
    observations: Float32Array.from(rows.flatMap(({ x, v }) => [x, v])),
    actions: new Float32Array(STEPS).fill(-0.5),
    terminated: false,
  };
};
const demonstrations = [demonstration(), demonstration(), demonstration()];

describe('the fleet at the learner', () => {
  let folder: string;
  let model: PolicyBundle;
  let closes: (() => unknown)[] = [];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fleet-'));
    model = await trolleyBundle(1);
  });
  afterEach(async () => {
    for (const close of closes.toReversed()) await close();
    closes = [];
    rmSync(folder, { recursive: true });
  });

  function start(more: Partial<FleetParts> = {}) {
    const [own, local] = [new EmbeddedBroker(), new EmbeddedBroker()];
    const logs: string[] = [];
    const log = (text: string, fields: { reason?: string } = {}): void =>
      void logs.push(fields.reason === undefined ? text : `${text}: ${fields.reason}`);
    const has = new Map<string, PolicyBundleMessage>();
    const leftOut: string[] = [];
    const fleet = new Fleet(
      {
        spec,
        robots,
        rollout: { mode: 'staged', share: 0.5, episodes: 2, tolerance: 3 },
        demonstrations,
        statesOnly: false,
        folder,
        spacing: 1,
        logger: { info: log, warn: log, error: log, debug: log } as never,
        view: () => ({ presence: 'ONLINE' }) as RobotView,
        send: (robot, policy) => {
          const before = has.get(robot);
          // What a policy node does: neither an older epoch nor an older version of the same one.
          if (
            before !== undefined &&
            (policy.epoch < before.epoch || (policy.epoch === before.epoch && policy.version <= before.version))
          )
            return;
          has.set(robot, policy);
        },
        leaveOut: (robot, { sequence }) => leftOut.push(`${robot} ${sequence}`),
        ...more,
      },
      own.connect(),
      local.connect(),
    );
    const policies = local.connect().advertise('/policy', 'iq_learn/msg/PolicyBundle', qos.latched);
    const person = own.connect();
    const statuses: MessageTypes['iq_learn_link/msg/FleetStatus'][] = [];
    person.subscribe(
      linkTopics.fleetStatus.topic,
      'iq_learn_link/msg/FleetStatus',
      (s) => statuses.push(s),
      qos.sensor,
    );
    const end = async (): Promise<void> => {
      fleet.close();
      await own.close();
      await local.close();
    };
    closes.push(end);
    let episode = 0;
    return {
      fleet,
      logs,
      leftOut,
      statuses,
      end,
      versions: () => robots.map((robot) => Number(has.get(robot)?.version ?? -1)),
      learn: async (version: number, epoch = 100n) => {
        policies.publish({
          ...emptyMessage('iq_learn/msg/PolicyBundle'),
          robot: spec.robot,
          epoch,
          version: BigInt(version),
          ...model,
        });
        await local.idle();
      },
      /** Every robot drives an episode with the policy that it has; `speeds` says how each version drives. */
      drive: (speeds: Readonly<Record<number, number>>, broken?: string) => {
        for (const robot of robots) {
          const version = has.get(robot)!.version;
          const rows = drive(speeds[Number(version)]!);
          for (let t = 0; t < STEPS; t++) {
            const transition: Transition = {
              ...emptyMessage('iq_learn/msg/Transition'),
              robot: spec.robot,
              session: 'run',
              policy_version: version,
              episode,
              step: t,
              observation: [robot === broken ? 99 : rows[t]!.x, rows[t]!.v],
              next_observation: [rows[t + 1]!.x, rows[t + 1]!.v],
              action: [-speeds[Number(version)]!],
              truncated: t === STEPS - 1,
            };
            const place: StreamPlace = { epoch: 1n, sequence: BigInt(episode * STEPS + t + 1) };
            fleet.admits(robot, transition, place);
          }
        }
        episode += 1;
      },
      ask: async (verb: string, robot = '', reason = '') =>
        await person.call(
          FLEET_SERVICE,
          'iq_learn_link/srv/FleetRequest',
          { verb, robot, reason },
          { timeoutMs: 5000 },
        ),
    };
  }

  test('sends a policy to all only after it has driven, and takes one back that drives worse', async () => {
    const { fleet, learn, drive, versions, logs } = start();
    await learn(1);
    expect(versions()).toEqual([1, 1, 1, 1]);
    await learn(2);
    expect(versions()).toEqual([2, 1, 1, 1]);
    for (let i = 0; i < 3; i++) drive({ 1: 0.4, 2: 0.5 });
    expect(versions()).toEqual([2, 2, 2, 2]);
    await learn(3);
    for (let i = 0; i < 2; i++) drive({ 2: 0.5, 3: 1 });
    // The robot that tried it has the version before, under a higher epoch.
    expect(versions()).toEqual([2, 2, 2, 2]);
    expect(logs.at(-1)).toMatch(/^policy 3 is taken back: distance \d\.\d+, 0\.\d+ before$/);
    expect(fleet.rollout).toMatchObject({ accepted: 2, tried: null, refused: 1 });
    await learn(4);
    expect(versions().filter((version) => version === 4)).toHaveLength(1);
  });

  test('sets a robot aside whose data are wrong, says so, and does not let its episodes count', async () => {
    const { fleet, learn, drive, leftOut, logs, statuses } = start();
    await learn(1);
    for (let i = 0; i < 4; i++) drive({ 1: 0.5 }, 'r2');
    const [first, second] = fleet.robots;
    expect(first).toMatchObject({ robot: 'r1', aside: '', admitted: 120n, left_out: 0n, episodes: 4n });
    expect(second).toMatchObject({ robot: 'r2', admitted: 0n, left_out: 120n, episodes: 0n });
    expect(second!.aside).toBe('x = 99, where -11 to 11 is believed');
    expect(logs).toContain('r2 is set aside: nothing is learned from it: x = 99, where -11 to 11 is believed');
    expect(leftOut).toHaveLength(120);
    expect(leftOut.at(-1)).toBe('r2 120');
    await until(() => expect(statuses.at(-1)?.robots[0]?.distance).toBeLessThan(0.1));
    expect(statuses.at(-1)).toMatchObject({
      rollout: 'all have 1',
      policy_version: 1n,
      tried_version: -1n,
      held: false,
    });
    expect(statuses.at(-1)!.robots[1]!.distance).toBeNaN();
  });

  test('does what a person asks, and knows it again after a start', async () => {
    const one = start();
    await one.learn(1);
    await one.learn(2);
    for (let i = 0; i < 3; i++) one.drive({ 1: 0.5, 2: 0.5 });
    expect(one.versions()).toEqual([2, 2, 2, 2]);
    expect(await one.ask('rollback')).toEqual({
      success: true,
      message: 'all robots go back to policy 1; go on with: iq-learn link resume',
    });
    expect(one.versions()).toEqual([1, 1, 1, 1]);
    expect(await one.ask('aside', 'r3', 'a loose wheel')).toMatchObject({ success: true });
    expect(await one.ask('aside', 'r9')).toEqual({ success: false, message: "'r9' is not one of r1, r2, r3, r4" });
    expect(await one.ask('dance', 'r1')).toMatchObject({ success: false });
    await one.learn(3);
    expect(one.versions()).toEqual([1, 1, 1, 1]);
    await one.end();
    closes = [];

    const two = start();
    // The learner has come farther; a person had gone back to 1.
    await two.learn(7, 200n);
    expect(two.versions()).toEqual([1, 1, 1, 1]);
    expect(two.fleet.rollout).toMatchObject({ accepted: 1, held: true });
    expect(two.fleet.robots[2]!.aside).toBe('a loose wheel');
    two.drive({ 1: 0.5 });
    expect(two.fleet.robots.map(({ admitted }) => admitted)).toEqual([30n, 30n, 0n, 30n]);
    expect(await two.ask('release', 'r3')).toMatchObject({ success: true });
    expect(await two.ask('resume')).toEqual({
      success: true,
      message: '7 is tried by r1: 0 of 2 episodes',
    });
    expect(two.versions()).toEqual([7, 1, 1, 1]);
    // Only what one can go back to is kept.
    expect(readdirSync(folder).toSorted()).toEqual(['1', 'fleet.json']);
  });

  test('refuses to bring policies to a fleet in stages that it cannot measure, and a damaged memory', () => {
    expect(() => start({ demonstrations: [] })).toThrow(/policies cannot be measured before all robots get them/);
    writeFileSync(join(folder, 'fleet.json'), '{ "format": "iq_learn fleet 1" ');
    expect(() => start()).toThrow(expect.objectContaining({ code: 'CORRUPT_DATA' }));
    writeFileSync(join(folder, 'fleet.json'), '{ "format": "iq_learn fleet 2" }');
    expect(() => start()).toThrow(/fleet.json is damaged/);
  });
});
