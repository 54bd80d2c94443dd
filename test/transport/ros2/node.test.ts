import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { emptyMessage } from '#src/messages/index.js';
import { qos } from '#src/transport/index.js';
import type { LifecycleCallbacks, ParameterValue } from '#src/transport/ros2/index.js';
import { describeWithRos, startNode } from '../../support/ros.js';
import { Nodes, Peer } from './support.js';

const Twist = 'geometry_msgs/msg/Twist';
const Float64s = 'std_msgs/msg/Float64MultiArray';
const Trigger = 'std_srvs/srv/Trigger';
const until = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 60_000, interval: 20 });

describeWithRos('a node of ours, as rclpy sees it', () => {
  const nodes = new Nodes();
  let peer: Peer;
  beforeAll(async () => {
    peer = await Peer.start();
  });
  // A request to a node that has just left would be lost, where the next test has one of the same name.
  afterEach(async () => {
    const left = nodes.all.map(({ name, namespace }) => `${namespace.replace(/\/$/, '')}/${name}`);
    await nodes.close();
    const haveLeft = async (): Promise<void> => {
      const there = (await peer.do('nodes')) as string[];
      expect(there.filter((name) => left.includes(name))).toEqual([]);
    };
    try {
      await vi.waitFor(haveLeft, { timeout: 15_000, interval: 20 });
    } catch {
      // On a busy machine rclpy may read a node's last message about itself after it has seen the node leave, and then
      // shows it forever (rmw_dds_common adds whoever it hears of). A process that begins now shows who is there.
      peer = await Peer.start();
      await until(haveLeft);
    }
  });

  const ros = (...args: string[]) => ({ args: ['--ros-args', ...args] });

  describe('topics', () => {
    test('names follow namespace, node name and remaps; /clock and /diagnostics do not', async () => {
      const node = await nodes.open({
        nodeName: 'policy',
        ...ros('-r', '__ns:=/robot1', '-r', '__node:=pilot', '-r', 'cmd_vel:=policy_vel', '-r', 'scan:=/lidar/scan'),
      });
      expect([node.name, node.namespace]).toEqual(['pilot', '/robot1']);
      const { transport } = node;
      transport.advertise('/cmd_vel', Twist, qos.command);
      transport.advertise('/front/odom', 'nav_msgs/msg/Odometry', qos.sensor);
      transport.advertise('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', qos.event);
      transport.subscribe('/scan', 'sensor_msgs/msg/LaserScan', () => {}, qos.sensor);
      transport.subscribe('/clock', 'rosgraph_msgs/msg/Clock', () => {}, qos.sensor);
      transport.serve('/policy/reset_fault', Trigger, async () => ({ success: true, message: '' }));
      transport.serve('/shared', Trigger, async () => ({ success: true, message: '' }));
      node.start();
      const seen = async (topic: string): Promise<number> => {
        const { publishers, subscriptions } = (await peer.do('graph', topic)) as Record<string, unknown[]>;
        return [...publishers!, ...subscriptions!].filter((info) => (info as { node: string }).node === '/robot1/pilot')
          .length;
      };
      for (const topic of ['/robot1/policy_vel', '/robot1/front/odom', '/diagnostics', '/lidar/scan', '/clock'])
        await until(async () => expect(await seen(topic), topic).toBe(1));
      expect(await seen('/cmd_vel')).toBe(0);
      // Discovery tells of services and nodes in its own time.
      await until(async () =>
        expect(await peer.do('services')).toMatchObject({
          '/robot1/pilot/reset_fault': [Trigger],
          '/robot1/shared': [Trigger],
        }),
      );
      await until(async () => expect(await peer.do('nodes')).toContain('/robot1/pilot'));
      const answer = await peer.call('/robot1/pilot/reset_fault', Trigger);
      expect(answer).toEqual({ success: true, message: '' });
    });

    test('types and quality of service stand in the graph; parameters and options override', async () => {
      const node = await nodes.open({
        nodeName: 'policy',
        qosOverrides: { '/by_option': { reliability: 'best_effort' } },
        ...ros(
          ...['-p', 'qos_overrides./by_parameter.publisher.reliability:=best_effort'],
          ...['-p', 'qos_overrides./by_parameter.publisher.depth:=7'],
          ...['-p', 'qos_overrides./by_parameter.subscription.durability:=transient_local'],
          ...['-r', 'renamed:=by_parameter'],
          ...['-p', 'qos_overrides./wrong.publisher.reliability:=sometimes'],
        ),
      });
      const { transport } = node;
      transport.advertise('/odom', 'nav_msgs/msg/Odometry', qos.sensor);
      transport.advertise('/latched', Float64s, qos.latched);
      transport.subscribe('/cmd_vel', Twist, () => {}, qos.command);
      transport.advertise('/by_option', Float64s, qos.event);
      transport.advertise('/renamed', Float64s, qos.event);
      transport.subscribe('/renamed', Float64s, () => {}, qos.event);
      expect(() => transport.advertise('/wrong', Float64s, qos.event)).toThrow(
        /qos_overrides\.\/wrong\.publisher\.reliability: "sometimes".*reliable or best_effort/,
      );
      node.start();
      const about = (type: string, reliability: string, durability: string) => [
        { node: '/policy', type, reliability, durability },
      ];
      const graph = async (topic: string) => (await peer.do('graph', topic)) as Record<string, unknown>;
      // Discovery tells of each in its own time.
      const shows = (topic: string, there: object) =>
        until(async () => expect(await graph(topic)).toMatchObject(there));
      await shows('/odom', { publishers: about('nav_msgs/msg/Odometry', 'best_effort', 'volatile') });
      await shows('/latched', { publishers: about(Float64s, 'reliable', 'transient_local') });
      await shows('/cmd_vel', { subscriptions: about(Twist, 'reliable', 'volatile') });
      await shows('/by_option', { publishers: about(Float64s, 'best_effort', 'volatile') });
      await shows('/by_parameter', {
        publishers: about(Float64s, 'best_effort', 'volatile'),
        subscriptions: about(Float64s, 'reliable', 'transient_local'),
      });
    });

    test('messages go to and fro; a publisher that does not fit is reported, with its node', async () => {
      const node = await nodes.started({ nodeName: 'policy' });
      const got: number[] = [];
      await peer.do('subscribe', '/to_peer', Twist, 'reliable volatile 10');
      await peer.do('advertise', '/from_peer', Twist, 'reliable volatile 10');
      node.transport.subscribe('/from_peer', Twist, (message) => got.push(message.linear.x), qos.command);
      const publisher = node.transport.advertise('/to_peer', Twist, qos.command);
      const message = emptyMessage(Twist);
      message.linear.x = 0.25;
      await until(async () => {
        publisher.publish(message);
        await peer.do('publish', '/from_peer', { linear: { x: 1.5 } });
        expect(got.length).toBeGreaterThan(0);
        expect(((await peer.do('taken', '/to_peer')) as unknown[]).length).toBeGreaterThan(0);
      });
      expect(got[0]).toBe(1.5);
      expect(await peer.do('taken', '/to_peer').then((taken: unknown[]) => taken[0])).toMatchObject({
        linear: { x: 0.25, y: 0, z: 0 },
      });
      await peer.do('advertise', '/weak', Twist, 'best_effort volatile 10');
      node.transport.subscribe('/weak', Twist, () => {}, qos.command);
      await until(() =>
        expect(nodes.errors.map(({ message }) => message).join()).toMatch(/\/weak.*\/peer: reliable is requested/),
      );
    });
  });

  test('a subscriber without a quality of service takes what is offered later, latched messages too, each once', async () => {
    const node = await nodes.started({ nodeName: 'recorder' });
    const got: Record<string, number[]> = {};
    for (const topic of ['/late_latched', '/late_sensor']) {
      got[topic] = [];
      node.transport.subscribe(topic, Twist, (message) => got[topic]!.push(message.linear.x));
    }
    const subscription = async (topic: string) =>
      ((await peer.do('graph', topic)) as { subscriptions: { reliability: string; durability: string }[] })
        .subscriptions[0];
    await until(async () =>
      expect(await subscription('/late_latched')).toMatchObject({ reliability: 'best_effort', durability: 'volatile' }),
    );
    await peer.do('advertise', '/late_latched', Twist, 'reliable transient_local 1');
    await peer.do('advertise', '/late_sensor', Twist, 'best_effort volatile 5');
    await peer.do('publish', '/late_latched', { linear: { x: 1 } });
    await until(async () =>
      expect(await subscription('/late_latched')).toMatchObject({
        reliability: 'reliable',
        durability: 'transient_local',
      }),
    );
    await until(() => expect(got['/late_latched']).toEqual([1]));
    await peer.do('publish', '/late_latched', { linear: { x: 2 } });
    await until(() => expect(got['/late_latched']).toEqual([1, 2]));
    await until(async () => {
      await peer.do('publish', '/late_sensor', { linear: { x: 3 } });
      expect(got['/late_sensor']).toContain(3);
    });
    expect(nodes.errors).toEqual([]);
  });

  test('a subscriber that requests the best reliability available has that of all publishers, as they come', async () => {
    const node = await nodes.started({ nodeName: 'recorder' });
    let got = 0;
    const best = { ...qos.event, reliability: 'best_available' } as const;
    node.transport.subscribe('/best', Twist, () => got++, best);
    const has = (reliability: string): Promise<void> =>
      until(async () =>
        expect(await peer.do('graph', '/best')).toMatchObject({
          subscriptions: [{ reliability, durability: 'volatile' }],
        }),
      );
    await has('best_effort');
    await peer.do('advertise', '/best', Twist, 'reliable transient_local 1');
    await has('reliable');
    await until(async () => {
      await peer.do('publish', '/best', { linear: { x: 1 } });
      expect(got).toBeGreaterThan(0);
    });
    const weak = node.transport.advertise('/best', Twist, qos.sensor);
    await has('best_effort');
    weak.close();
    await has('reliable');
    expect(nodes.errors).toEqual([]);
  });

  describe('services', () => {
    test('rclpy asks and answers; what a handler throws is success false and its reason', async () => {
      const node = await nodes.started({ nodeName: 'recorder' });
      const StartEpisode = 'iq_learn/srv/StartEpisode';
      node.transport.serve('/recorder/start_episode', StartEpisode, async ({ seed }) => {
        if (seed === 13n) throw new RangeError('an unlucky seed');
        return { success: true, message: String(seed), episode: 4 };
      });
      const large = 2n ** 53n + 1n;
      const ask = (seed: string) => peer.call('/recorder/start_episode', StartEpisode, { seed: Number(seed) });
      expect(await ask('7')).toEqual({ success: true, message: '7', episode: 4 });
      expect(await ask('13')).toMatchObject({ success: false, message: expect.stringContaining('an unlucky seed') });
      await peer.do('serve', '/count', StartEpisode, { success: true, message: 'there', episode: 3 });
      const answer = await node.transport.call('/count', StartEpisode, { seed: large }, { timeoutMs: 60_000 });
      expect(answer).toEqual({ success: true, message: 'there', episode: 3 });
      await peer.do('serve', '/plain', Trigger, { success: false, message: '[not] a code' });
      expect(await node.transport.call('/plain', Trigger, {}, { timeoutMs: 60_000 })).toEqual({
        success: false,
        message: '[not] a code',
      });
      await expect(
        node.transport.call('/plain', 'std_srvs/srv/SetBool', { data: true }, { timeoutMs: 60_000 }),
      ).rejects.toMatchObject({ code: 'MISMATCH' });
      // Which node has the service is told later than that there is one.
      const serve = () =>
        node.transport.serve('/count', StartEpisode, async () => ({ success: true, message: '', episode: 0 })).close();
      await until(() => expect(serve).toThrow(expect.objectContaining({ code: 'CONFLICT' })));
    });

    test('a service that was closed may be served again', async () => {
      const { transport } = await nodes.started({ nodeName: 'recorder' });
      const answer = async () => ({ success: true, message: '' });
      const first = transport.serve('/s', Trigger, answer);
      expect(() => transport.serve('/s', Trigger, answer)).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
      first.close();
      transport.serve('/s', Trigger, answer);
      // Discovery tells of things in their order: whoever knows of these knows that the first server has left.
      transport.advertise('/later', Twist, qos.command);
      transport.subscribe('/later', Twist, () => {}, qos.command);
      await until(async () =>
        expect(await peer.do('graph', '/later')).toMatchObject({ publishers: [{}], subscriptions: [{}] }),
      );
      expect(await peer.call('/s', Trigger)).toEqual({ success: true, message: '' });
    });
  });

  describe('parameters', () => {
    const rate = {
      name: 'rate',
      type: 'double',
      default: 20,
      description: 'control rate [Hz]',
      range: { from: 1, to: 100 },
    } as const;
    const set = async (name: string, value: object): Promise<{ successful: boolean; reason: string }> => {
      const answer = await peer.call('/policy/set_parameters', 'rcl_interfaces/srv/SetParameters', {
        parameters: [{ name, value }],
      });
      return (answer.results as never)[0];
    };

    test('changes are told on /parameter_events, whatever the namespace', async () => {
      const events = '/parameter_events';
      const node = await nodes.open({ nodeName: 'policy', ...ros('-r', '__ns:=/robot2') });
      node.declareParameter(rate);
      node.start();
      await peer.do('subscribe', events, 'rcl_interfaces/msg/ParameterEvent', 'reliable volatile 100');
      await until(async () => {
        const { publishers } = (await peer.do('graph', events)) as { publishers: { node: string }[] };
        expect(publishers.map((publisher) => publisher.node)).toContain('/robot2/policy');
      });
      // What is set before this node's publisher has found the reader is not told: set until it is.
      let value = 20;
      await until(async () => {
        value = value === 20 ? 30 : 20;
        await peer.call('/robot2/policy/set_parameters', 'rcl_interfaces/srv/SetParameters', {
          parameters: [{ name: 'rate', value: { type: 3, double_value: value } }],
        });
        const told = (await peer.do('taken', events)) as { node: string; changed_parameters: { name: string }[] }[];
        const ours = told.filter((event) => event.node === '/robot2/policy');
        expect(ours.flatMap((event) => event.changed_parameters.map(({ name }) => name))).toContain('rate');
      });
    });

    test('are described with type, range and choices, and checked before they are set', async () => {
      const node = await nodes.open({ nodeName: 'policy', ...ros('-p', 'robot:=rover', '-p', 'rate:=10') });
      expect(node.declareParameter(rate)).toBe(10);
      const robot = { name: 'robot', type: 'string', default: 'arm', description: 'robot', readOnly: true } as const;
      expect(node.declareParameter(robot)).toBe('rover');
      const mode = { name: 'mode', type: 'string', default: 'fast', description: 'mode', choices: ['fast', 'slow'] };
      expect(node.declareParameter({ ...mode, type: 'string' })).toBe('fast');
      const steps = { name: 'steps', type: 'integer', default: 4, description: 'steps' } as const;
      expect(node.declareParameter({ ...steps, range: { from: 0, to: 8, step: 2 } })).toBe(4);
      const asked: Readonly<Record<string, ParameterValue>>[] = [];
      node.onSetParameters((changes) => {
        asked.push(changes);
        return changes.rate === 99 ? { ok: false, reason: 'the robot cannot do 99 Hz' } : { ok: true, reason: '' };
      });
      node.start();

      const described = await peer.call('/policy/describe_parameters', 'rcl_interfaces/srv/DescribeParameters', {
        names: ['rate', 'robot', 'mode', 'steps'],
      });
      expect(described.descriptors).toMatchObject([
        {
          type: 3,
          description: 'control rate [Hz]',
          read_only: false,
          floating_point_range: [{ from_value: 1, to_value: 100 }],
        },
        { type: 4, read_only: true },
        { type: 4, additional_constraints: 'one of fast, slow' },
        { type: 2, integer_range: [{ from_value: 0, to_value: 8, step: 2 }] },
      ]);
      expect(await set('rate', { type: 3, double_value: 50 })).toEqual({ successful: true, reason: '' });
      expect(await set('rate', { type: 2, integer_value: 40 })).toEqual({ successful: true, reason: '' });
      expect(asked).toEqual([{ rate: 50 }, { rate: 40 }]);
      expect(await set('rate', { type: 3, double_value: 500 })).toEqual({
        successful: false,
        reason: 'rate: 500 is not in 1…100',
      });
      expect(await set('rate', { type: 3, double_value: 99 })).toEqual({
        successful: false,
        reason: 'the robot cannot do 99 Hz',
      });
      expect(await set('rate', { type: 4, string_value: 'fast' })).toEqual({
        successful: false,
        reason: 'rate is a double, not string',
      });
      expect(await set('robot', { type: 4, string_value: 'arm' })).toMatchObject({ successful: false });
      expect((await set('mode', { type: 4, string_value: 'warp' })).reason).toContain("none of 'fast', 'slow'");
      expect((await set('steps', { type: 2, integer_value: 3 })).reason).toContain('multiple of 2');
      expect(await set('nothing', { type: 1, bool_value: true })).toMatchObject({ successful: false });
      const got = await peer.call('/policy/get_parameters', 'rcl_interfaces/srv/GetParameters', {
        names: ['rate', 'robot', 'mode'],
      });
      expect(
        (got.values as unknown as Record<string, unknown>[]).map((v) => [v.type, v.double_value, v.string_value]),
      ).toEqual([
        [3, 40, ''],
        [4, 0, 'rover'],
        [4, 0, 'fast'],
      ]);
    });

    test('overrides of another type or out of range are refused where they are declared', async () => {
      const node = await nodes.open({ nodeName: 'policy', ...ros('-p', 'rate:=fast', '-p', 'other:=7') });
      expect(() => node.declareParameter(rate)).toThrow(/rate has the wrong type.*string "fast".*double/);
      expect(() => node.declareParameter({ ...rate, name: 'other', range: { from: 0, to: 1 } })).toThrow(
        /other is wrong.*7 is not in 0…1/,
      );
      await expect(nodes.open({ nodeName: 'policy', ...ros('-p', 'rate') })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    });

    test('overrides for a full name, a wildcard, a namespace and lists', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'parameters-'));
      const file = join(folder, 'parameters.yaml');
      const section = (node: string, values: string): string => `${node}:\n  ros__parameters: {${values}}\n`;
      writeFileSync(
        file,
        section('/**', 'everywhere: 0, later: 1') +
          section('/robot1/policy', 'by_name: 2, later: 2, "group.inner": 8') +
          section('/robot2/policy', 'by_name: 3') +
          section('/*/policy', 'one_part: 4') +
          section('/robot1/**', 'any_parts: 5') +
          section('/*/*/policy', 'one_part: 6'),
      );
      const node = await nodes.open({
        nodeName: 'policy',
        ...ros(
          ...['-r', '__ns:=/robot1'],
          ...['--params-file', file, '-p', 'everywhere:=1', '-p', 'other:by_name:=7'],
          ...['-p', 'bools:=[true,false]', '-p', 'ints:=[1,2]', '-p', 'doubles:=[1.5]', '-p', 'texts:=[a,b]'],
        ),
      });
      const value = (
        name: string,
        type: 'integer' | 'bool_array' | 'integer_array' | 'double_array' | 'string_array',
      ) => node.declareParameter({ name, type, default: type === 'integer' ? 0 : [], description: name });
      expect(value('everywhere', 'integer')).toBe(1);
      expect(value('by_name', 'integer')).toBe(2);
      expect(value('one_part', 'integer')).toBe(4);
      expect(value('any_parts', 'integer')).toBe(5);
      expect(value('later', 'integer')).toBe(2);
      expect(value('group.inner', 'integer')).toBe(8);
      rmSync(folder, { recursive: true });
      expect(value('bools', 'bool_array')).toEqual([true, false]);
      expect(value('ints', 'integer_array')).toEqual([1, 2]);
      expect(value('doubles', 'double_array')).toEqual([1.5]);
      expect(value('texts', 'string_array')).toEqual(['a', 'b']);
    });
  });

  describe('time', () => {
    test('is the wall clock, or /clock where use_sim_time is set, of a best effort publisher too', async () => {
      const wall = await nodes.started({ nodeName: 'wall' });
      expect(wall.clock.simulated).toBe(false);
      expect(Math.abs(Number(wall.clock.nowNs() / 1_000_000n) - Date.now())).toBeLessThan(5000);
      const simulated = await nodes.started({ nodeName: 'simulated', ...ros('-p', 'use_sim_time:=true') });
      expect(simulated.clock.simulated).toBe(true);
      expect(simulated.clock.nowNs()).toBe(0n);
      await peer.do('advertise', '/clock', 'rosgraph_msgs/msg/Clock', 'best_effort volatile 1');
      await until(async () => {
        await peer.do('publish', '/clock', { clock: { sec: 12, nanosec: 34 } });
        expect(simulated.clock.nowNs()).toBe(12_000_000_034n);
      });
    });

    test('is that of a namespace where /clock is remapped into it, to hear and to say', async () => {
      const remapped = ['-r', '__ns:=/robot3', '-r', '/clock:=clock', '-p', 'use_sim_time:=true'];
      const own = await nodes.started({ nodeName: 'own', ...ros(...remapped) });
      const simulator = await nodes.started({ nodeName: 'simulator', ...ros(...remapped) });
      const clock = simulator.transport.advertise('/clock', 'rosgraph_msgs/msg/Clock', qos.sensor);
      await until(() => {
        clock.publish({ clock: { sec: 7, nanosec: 5 } });
        expect(own.clock.nowNs()).toBe(7_000_000_005n);
      });
      await until(async () => {
        const { publishers } = (await peer.do('graph', '/robot3/clock')) as { publishers: { node: string }[] };
        expect(publishers.map(({ node }) => node)).toEqual(['/robot3/simulator']);
      });
    });
  });

  describe('lifecycle', () => {
    const ChangeState = 'lifecycle_msgs/srv/ChangeState';
    const change = async (transition: { id?: number; label?: string }): Promise<boolean> =>
      (await peer.call('/robot1/policy/change_state', ChangeState, { transition })).success as never;
    const state = async (): Promise<string> => {
      const answer = await peer.call('/robot1/policy/get_state', 'lifecycle_msgs/srv/GetState');
      return (answer.current_state as unknown as { label: string }).label;
    };
    const callbacks = (calls: string[], fails: Partial<LifecycleCallbacks> = {}): LifecycleCallbacks => {
      const say = (name: string) => () => {
        calls.push(name);
        return true;
      };
      const all = ['configure', 'activate', 'deactivate', 'cleanup', 'shutdown', 'error'] as const;
      return {
        ...(Object.fromEntries(all.map((name) => [name, say(name)])) as unknown as LifecycleCallbacks),
        ...fails,
      };
    };

    test('goes its ways; impossible requests are refused and hurt nothing', async () => {
      const calls: string[] = [];
      const node = await nodes.open({ nodeName: 'policy', managed: true, ...ros('-r', '__ns:=/robot1') });
      node.manage(callbacks(calls));
      node.start();
      expect([node.lifecycleState, await state()]).toEqual(['unconfigured', 'unconfigured']);
      expect(await change({ id: 3 })).toBe(false); // activate
      expect(await change({ id: 99 })).toBe(false);
      expect(await change({ label: 'dance' })).toBe(false);
      expect(node.request('activate')).toBe(false);
      expect(calls).toEqual([]);
      expect(await change({ id: 1 })).toBe(true);
      expect(await change({ label: 'activate' })).toBe(true);
      expect([node.lifecycleState, await state()]).toEqual(['active', 'active']);
      expect(await change({ id: 1 })).toBe(false);
      expect(await change({ id: 4 })).toBe(true);
      expect(await change({ id: 2 })).toBe(true);
      expect(await change({ label: 'shutdown' })).toBe(true);
      expect(await state()).toBe('finalized');
      expect(await change({ id: 1 })).toBe(false);
      expect(calls).toEqual(['configure', 'activate', 'deactivate', 'cleanup', 'shutdown']);
    });

    test('tells which transitions there are now, and in all, with where they lead', async () => {
      const node = await nodes.open({ nodeName: 'policy', managed: true, ...ros('-r', '__ns:=/robot1') });
      node.manage(callbacks([]));
      node.start();
      const told = async (service: string): Promise<string[]> => {
        const answer = await peer.call(`/robot1/policy/${service}`, 'lifecycle_msgs/srv/GetAvailableTransitions');
        const transitions = answer.available_transitions as unknown as Record<string, { label: string }>[];
        return transitions.map((each) =>
          [each.start_state, each.transition, each.goal_state].map((of) => of!.label).join(' '),
        );
      };
      expect(await told('get_available_transitions')).toEqual([
        'unconfigured configure configuring',
        'unconfigured shutdown shuttingdown',
      ]);
      const all = await told('get_transition_graph');
      expect(all).toContain('inactive activate activating');
      expect(all).toContain('errorprocessing transition_failure finalized');
      expect(new Set(all).size).toBe(all.length);
    });

    test('what refuses or throws leaves the node where it was; a deactivate that throws goes to error', async () => {
      const calls: string[] = [];
      let refusing: 'refuse' | 'throw' | undefined = 'refuse';
      const node = await nodes.open({ nodeName: 'policy', managed: true, ...ros('-r', '__ns:=/robot1') });
      const configure = (): boolean => {
        if (refusing === 'throw') throw new Error('no policy');
        return refusing !== 'refuse';
      };
      const deactivate = (): boolean => {
        expect(node.lifecycleState).toBe('active');
        throw new Error('stuck');
      };
      node.manage(callbacks(calls, { configure, deactivate }));
      node.start();
      expect(await change({ id: 1 })).toBe(false);
      refusing = 'throw';
      expect(await change({ id: 1 })).toBe(false);
      expect(await state()).toBe('unconfigured');
      refusing = undefined;
      expect(await change({ id: 1 })).toBe(true);
      expect(await change({ id: 3 })).toBe(true);
      expect(await change({ id: 4 })).toBe(false);
      expect(await state()).toBe('unconfigured');
      expect(calls).toEqual(['activate', 'error']);
    });

    test('a node without one says so', async () => {
      const node = await nodes.open({ nodeName: 'plain' });
      expect(node.lifecycleState).toBe('unmanaged');
      expect(() => node.manage(callbacks([]))).toThrow(/no lifecycle/);
    });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'on %s what was published last still arrives, and the process ends by itself',
    async (signal) => {
      const topic = `/last_${signal}`;
      await peer.do('subscribe', topic, Twist, 'reliable volatile 1');
      await peer.do('subscribe', '/rosout', 'rcl_interfaces/msg/Log', 'reliable transient_local 1000');
      const node = startNode('test/transport/ros2/closing-node.mjs', ['--ros-args', '-r', `cmd_vel:=${topic}`]);
      await node.line(/^ready/);
      const speeds = async () =>
        ((await peer.do('taken', topic)) as { linear: { x: number } }[]).map(({ linear }) => linear.x);
      await until(async () => expect(await speeds()).toContain(1));
      await until(async () =>
        expect(await peer.do('taken', '/rosout')).toContainEqual(
          expect.objectContaining({ name: 'closing', level: 30, msg: 'the reason why' }),
        ),
      );
      node.kill(signal);
      expect(await node.exited).toEqual({ code: 0, signal: null });
      expect(node.output).toMatch(/call CANCELLED/);
      expect(node.output).toMatch(/^closed/m);
      await until(async () => expect((await speeds()).at(-1)).toBe(0));
    },
  );

  test('close works from inside a handler too, and leaves the others alone', async () => {
    const node = await nodes.started({ nodeName: 'closing' });
    const other = await nodes.started({ nodeName: 'other' });
    const closed = new Promise<void>((resolve) => {
      node.transport.subscribe(
        '/stop',
        'std_msgs/msg/Bool',
        () => {
          void node.close().then(resolve);
        },
        qos.latched,
      );
    });
    other.transport.advertise('/stop', 'std_msgs/msg/Bool', qos.latched).publish({ data: true });
    await closed;
    await until(async () => {
      const there = await peer.do('nodes');
      expect(there).toContain('/other');
      expect(there).not.toContain('/closing');
    });
  });
});
