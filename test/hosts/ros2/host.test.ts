import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from 'winston';
import { IqLearnError, steadyClock } from '#src/common/index.js';
import type { ManagedExecutable } from '#src/hosts/ros2/executable.js';
import { executables } from '#src/hosts/ros2/executables/index.js';
import { Host } from '#src/hosts/ros2/host.js';
import type { MessageTypes } from '#src/messages/index.js';
import type { ParameterValue } from '#src/transport/ros2/index.js';
import { until } from '../../nodes/toy.js';
import { FakeRos } from './fake-ros.js';

const named = (name: string): ManagedExecutable => executables.find((each) => each.name === name) as ManagedExecutable;
const silent = createLogger({ silent: true });

let hosts: Host[];
let folder: string;
beforeEach(() => {
  hosts = [];
  folder = mkdtempSync(join(tmpdir(), 'iq-host-'));
});
afterEach(async () => {
  for (const host of hosts) await host.close();
  rmSync(folder, { recursive: true });
});

const hosted = (executable: ManagedExecutable, ros: FakeRos): Host => {
  const host = new Host({ executable, ros, clock: steadyClock, logger: silent, vitals: () => ({ loop_lag_ms: '0' }) });
  hosts.push(host);
  return host;
};
const start = async (
  name: string,
  overrides: Record<string, ParameterValue> = {},
  ros = new FakeRos(name, overrides),
) => {
  const host = hosted(named(name), ros);
  await host.start();
  return { ros, host };
};
const configured = (ros: FakeRos) => until(() => ros.request('configure'), 'configure to succeed');

describe('the host of a managed node', () => {
  it('starts by itself where that is its way, and waits where it moves a robot', async () => {
    const { ros: simulator } = await start('simulator');
    expect(simulator.lifecycleState).toBe('active');
    const { ros: policy } = await start('policy');
    expect(policy.lifecycleState).toBe('unconfigured');
    expect(policy.started).toBe(true);
    expect(policy.request('activate')).toBe(false); // illegal now
    expect(policy.lifecycleState).toBe('unconfigured');
    expect(policy.request('configure') && policy.request('activate')).toBe(true);
  });

  it('goes through its states again and again: cleanup gives everything back, configure works again', async () => {
    const { ros } = await start('simulator');
    for (let i = 0; i < 2; i++) {
      const answer = await ros.transport.call(
        '/simulator/start_episode',
        'iq_learn/srv/StartEpisode',
        { seed: 1n },
        { timeoutMs: 60_000 },
      );
      expect(answer).toMatchObject({ success: true, episode: 1 });
      expect(ros.request('deactivate')).toBe(true);
      expect(ros.request('cleanup')).toBe(true);
      if (i === 0) {
        expect(ros.request('configure')).toBe(false);
      }
      await configured(ros);
      expect(ros.request('activate')).toBe(true);
    }
  });

  it('says which parameters it does not know, and which were meant', () => {
    const said: unknown[] = [];
    const logger = { ...silent, info() {}, warn: (...words: unknown[]) => said.push(words) } as never;
    const ros = new FakeRos('policy', { acton_periods: 3, action_periods: 3 });
    hosts.push(new Host({ executable: named('policy'), ros, clock: steadyClock, logger, vitals: () => ({}) as never }));
    expect(said).toEqual([['the parameter acton_periods is not one of this node', { did_you_mean: 'action_periods' }]]);
  });

  it('refuses an unknown robot with the nearest name', () => {
    expect(() => hosted(named('policy'), new FakeRos('policy', { robot: 'rovr' }))).toThrow(/rovr.*rover/s);
  });

  it('FAILS to configure with the reason, and recovers once the parameter is mended', async () => {
    const { ros } = await start('policy', { policy: join(folder, 'nowhere') });
    expect(ros.request('configure')).toBe(false);
    expect((ros.failure as IqLearnError).code).toBe('NOT_FOUND');
    expect((ros.failure as IqLearnError).message).toContain('nowhere');
    expect(ros.set({ policy: '' })).toEqual({ ok: true, reason: '' });
    await configured(ros);
  });

  it('tries again what failed when it is asked again: the recording may be there by then', async () => {
    const made: number[] = [];
    const executable: ManagedExecutable = {
      ...named('simulator'),
      autostart: false,
      prepare: async (given) => {
        made.push(made.length);
        if (made.length === 1) throw new IqLearnError('NOT_FOUND', 'not yet');
        return named('simulator').prepare(given);
      },
    };
    const ros = new FakeRos('simulator');
    await hosted(executable, ros).start();
    expect(ros.request('configure')).toBe(false);
    expect((ros.failure as Error).message).toBe('not yet');
    await configured(ros);
    expect(made.length).toBe(2);
  });

  it('ends with the reason where it should start by itself and cannot', async () => {
    const ros = new FakeRos('learner', { run: join(folder, 'run') });
    await expect(hosted(named('learner'), ros).start()).rejects.toThrow(/nothing to learn from/);
    expect(ros.lifecycleState).toBe('unconfigured');
    expect(existsSync(join(folder, 'run'))).toBe(false); // nothing is made for nothing
  });

  it('checks parameters before they are set: fixed ones only unconfigured, dynamic ones always, all or nothing', async () => {
    const { ros } = await start('simulator');
    expect(ros.set({ pace: 'lockstep' })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/pace.*unconfigured/),
    });
    expect(ros.set({ quiet_ms: -1 })).toMatchObject({ ok: false, reason: expect.stringMatching(/quiet_ms/) });
    expect(ros.set({ quiet_ms: 100, pace: 'lockstep' }).ok).toBe(false);
    expect(ros.values.get('quiet_ms')).toBe(5000);
    expect(ros.set({ quiet_ms: 100 })).toEqual({ ok: true, reason: '' });
    expect(ros.set({ robot: 'arm' }).ok).toBe(false);
    ros.request('deactivate');
    ros.request('cleanup');
    expect(ros.set({ pace: 'hop' }).ok).toBe(false);
    expect(ros.set({ pace: 'lockstep' }).ok).toBe(true);
    await configured(ros);
    expect(ros.request('activate')).toBe(true);
  });

  it('drives a base by Twist where TwistStamped is not wanted', async () => {
    const ros = new FakeRos('policy', { cmd_vel_stamped: false, autostart: true });
    const heard: object[] = [];
    await start('policy', {}, ros);
    ros.transport.subscribe('/cmd_vel', 'geometry_msgs/msg/Twist', (message) => heard.push(message));
    ros.request('deactivate'); // says stop
    await ros.broker.idle();
    expect(heard.at(-1)).toEqual({ linear: { x: 0, y: 0, z: 0 }, angular: { x: 0, y: 0, z: 0 } });
  });

  it('stops the robot before anything is closed', async () => {
    const ros = new FakeRos('policy', { autostart: true });
    const { host } = await start('policy', {}, ros);
    const stops: MessageTypes['geometry_msgs/msg/TwistStamped'][] = [];
    const other = ros.broker.connect();
    other.subscribe('/cmd_vel', 'geometry_msgs/msg/TwistStamped', (message) => stops.push(message));
    const closed = host.close();
    await ros.broker.idle();
    expect(stops.length).toBe(1);
    await closed;
  });

  it('records to a folder that is new, and leaves none behind where nothing was recorded', async () => {
    mkdirSync(join(folder, 'morning'));
    const { ros, host } = await start('recorder', { recordings: folder, session: 'morning' });
    expect(readdirSync(folder).sort()).toEqual(['morning', 'morning-2']);
    ros.request('deactivate');
    ros.request('cleanup');
    await host.close();
    expect(readdirSync(folder)).toEqual(['morning']);
  });

  it('says what a ROS user may ask of every parameter: type, range, description', () => {
    for (const executable of executables) {
      if (executable.kind !== 'managed') continue;
      const ros = new FakeRos(executable.name);
      hosted(executable, ros);
      for (const { name, type, description } of ros.declarations.values()) {
        expect(name).toMatch(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$/);
        expect(description, `${executable.name}: ${name} (${type})`).toMatch(/\w/);
      }
    }
    const ros = new FakeRos('learner');
    hosted(named('learner'), ros);
    expect(ros.declarations.get('learner.gamma')).toMatchObject({
      type: 'double',
      default: 0.95,
      range: { from: 0, to: 1 },
    });
    expect(ros.declarations.get('device')).toMatchObject({
      type: 'string',
      choices: ['auto', 'cpu', 'cuda', 'tensorflow', 'wasm'],
    });
    expect(ros.declarations.get('robot')).toMatchObject({ readOnly: true });
  });
});
