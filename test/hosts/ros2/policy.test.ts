import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeBundle } from '#src/policy/index.js';
import { specText, trolleyBundle } from '../../nodes/toy.js';
import { describeWithRos, type RosProcess, startExecutable } from '../../support/ros.js';
import { Driver, type Json } from './driver.js';

const odometry = (x: number | 'nan') => ({
  header: { frame_id: 'odom' },
  pose: { pose: { position: { x } } },
});
const speed = (message: Json): number => message.twist.linear.x;

// One robot, whose state, person and e-stop are an rclpy process, through a day of faults.
describeWithRos('the policy executable over DDS', () => {
  let folder: string;
  let driver: Driver;
  let policy: RosProcess;
  const args = (): string[] => [
    '--ros-args',
    '-p',
    `robot:=${join(folder, 'trolley.yaml')}`,
    '-p',
    `policy:=${join(folder, 'home')}`,
  ];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'iq-ros-policy-'));
    writeFileSync(
      join(folder, 'trolley.yaml'),
      specText.replace(
        'teleop: { topic: /teleop/cmd_vel, timeout_ms: 200 }',
        'teleop: { topic: /teleop/cmd_vel, timeout_ms: 500, deadman: { topic: /joy, button: 1, timeout_ms: 3000 } }',
      ),
    );
    writeBundle(join(folder, 'home'), await trolleyBundle(1));
    writeBundle(join(folder, 'away'), await trolleyBundle(2, 4));
    driver = await Driver.start();
    policy = startExecutable('policy', args());
    await driver.subscribe('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    await driver.subscribe('/policy_status', 'iq_learn/msg/PolicyStatus');
    await driver.subscribe('/interventions', 'iq_learn/msg/Intervention');
    await driver.subscribe('/transitions', 'iq_learn/msg/Transition');
    await driver.subscribe('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const status = (state: string, reason = /./): Promise<Json> =>
    driver.until(
      '/policy_status',
      (message) => message.state === state && (state === 'RUNNING' || reason.test(message.reason)),
      `${state} ${reason}`,
    );
  const command = (fits: (x: number) => boolean, what: string): Promise<Json> =>
    driver.until('/cmd_vel', (message) => fits(speed(message)), what);
  const state = (x: number | 'nan'): Promise<void> =>
    driver.repeat('/odom', 'nav_msgs/msg/Odometry', odometry(x), 60, { reliability: 'best_effort', depth: 5 });
  const homeward = (): Promise<Json> => command((x) => x < -0.9, 'commands towards the origin');
  const hold = (): Promise<void> =>
    driver.repeat('/joy', 'sensor_msgs/msg/Joy', { buttons: [0, 1] }, 20, { reliability: 'best_effort' });
  const person = (x: number): Promise<void> =>
    driver.repeat('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', { twist: { linear: { x } } }, 20);

  /** From the next stop on every command is one, for half a second; what is asked of the status later is of now. */
  const stands = async (): Promise<void> => {
    await driver.take('/policy_status');
    await command((x) => x === 0, 'a stop');
    const heard: number[] = [];
    await expect
      .poll(async () => heard.push(...(await driver.take('/cmd_vel')).map(({ message }) => speed(message))))
      .toBeGreaterThan(10);
    expect(new Set(heard)).toEqual(new Set([0]));
  };
  /** It is refused while no fresh state is there, as on a machine that is late. */
  const reset = (): Promise<void> =>
    expect.poll(() => driver.trigger('/policy/reset_fault')).toMatchObject({ success: true });

  it('waits to be configured; what is not possible now is refused, and changes nothing', async () => {
    expect(await driver.state('policy')).toBe('unconfigured');
    expect(await driver.transition('policy', 'activate')).toBe(false);
    expect(await driver.transition('policy', 'nonsense')).toBe(false);
    expect(await driver.state('policy')).toBe('unconfigured');
    await driver.reach('policy', 'configure');
    expect(await driver.state('policy')).toBe('inactive');
    expect(await driver.transition('policy', 'configure')).toBe(false);
    await policy.line(/configure.*(refused|possible now)/);
  });

  it('has parameters with type, range and description, checked before they are set', async () => {
    const { descriptors } = await driver.call('/policy/describe_parameters', 'rcl_interfaces/srv/DescribeParameters', {
      names: ['action_periods', 'pace', 'robot'],
    });
    expect(descriptors[0]).toMatchObject({ type: 2, integer_range: [{ from_value: 1, to_value: 10, step: 0 }] });
    expect(descriptors[0].description).toMatch(/periods/);
    expect(descriptors[1]).toMatchObject({ type: 4, additional_constraints: expect.stringContaining('lockstep') });
    expect(descriptors[2]).toMatchObject({ type: 4, read_only: true });
    const refused = await driver.set('policy', 'action_periods', { type: 2, integer_value: 3 });
    expect(refused).toMatchObject({ successful: false, reason: expect.stringMatching(/unconfigured/) });
    expect((await driver.set('policy', 'action_periods', { type: 2, integer_value: 99 })).successful).toBe(false);
    expect((await driver.set('policy', 'robot', { type: 4, string_value: 'arm' })).successful).toBe(false);
  });

  it('offers the topics of the robot with the right types and qualities of service', async () => {
    await driver.reach('policy', 'activate');
    // Discovery tells of each in its own time.
    const publishers = (topic: string) => expect.poll(async () => (await driver.endpoints(topic)).publishers);
    const subscribers = (topic: string) => expect.poll(async () => (await driver.endpoints(topic)).subscriptions);
    await publishers('/cmd_vel').toMatchObject([
      { node: 'policy', type: 'geometry_msgs/msg/TwistStamped', reliability: 'reliable', durability: 'volatile' },
    ]);
    await publishers('/policy_status').toMatchObject([{ type: 'iq_learn/msg/PolicyStatus' }]);
    await subscribers('/odom').toMatchObject([
      { node: 'policy', type: 'nav_msgs/msg/Odometry', reliability: 'best_effort' },
    ]);
    await subscribers('/policy').toMatchObject([{ type: 'iq_learn/msg/PolicyBundle', durability: 'transient_local' }]);
    await subscribers('/estop').toMatchObject([{ type: 'std_msgs/msg/Bool' }]);
  });

  it('drives: stamped commands at its rate, from the state it sees', async () => {
    await state(1);
    const first = await homeward();
    expect(first.header.frame_id).toBe('base_link');
    expect(first.header.stamp.sec).toBeGreaterThan(1_600_000_000);
    await status('RUNNING');
    const { values } = await driver.diagnosed(
      'policy',
      (line) => line.level === 0 && Number(line.values.commands_hz) > 1,
      'OK in /diagnostics, and commands',
    );
    expect(values).toMatchObject({
      loop_lag_ms: expect.stringMatching(/^\d/),
      overruns: expect.stringMatching(/^\d+$/),
    });
  });

  it('stops on a state that is no number, and goes on with the next good one', async () => {
    await state('nan');
    await command((x) => x === 0, 'a stop');
    await status('HOLDING');
    const { values } = await driver.diagnosed(
      'policy',
      (line) => Number(line.values.states_dropped) > 0,
      'dropped states',
    );
    expect(values.policy).toMatch(/^trolley\/1\//);
    await state(1);
    await homeward();
  });

  it('stops when the state falls silent, and says STALE', async () => {
    await driver.quiet('/odom');
    await command((x) => x === 0, 'a stop');
    await driver.diagnosed('policy', ({ level }) => level === 3, 'STALE in /diagnostics');
    await state(1);
    await homeward();
  });

  it('gives a person the robot while they hold the dead-man button, tags it, and takes it back', async () => {
    await person(0.5);
    await driver.diagnosed(
      'policy',
      ({ values }) => Number(values.takeovers_unheld) > 3,
      'commands without the button',
    );
    expect((await driver.take('/interventions')).length).toBe(0);
    await hold();
    await command((x) => x === 0.5, "the person's command");
    await driver.until('/interventions', ({ active }) => active, 'the beginning of an intervention');
    await driver.until('/transitions', ({ intervention }) => intervention, 'a tagged transition');
    await driver.quiet('/teleop/cmd_vel');
    await homeward();
    await driver.until('/interventions', ({ active }) => !active, 'its end');
    await driver.until('/transitions', ({ intervention }) => !intervention, 'a transition of the policy');
  });

  it('stops at once when the button is let go while driving, and waits for a reset', async () => {
    await person(0.5);
    await command((x) => x === 0.5, "the person's command");
    await driver.repeat('/joy', 'sensor_msgs/msg/Joy', { buttons: [0, 0] }, 20, { reliability: 'best_effort' });
    await command((x) => x === 0, 'a stop');
    await status('ESTOP', /dead-man/);
    await driver.quiet('/teleop/cmd_vel');
    await stands();
    await status('ESTOP', /dead-man/);
    await reset();
    await homeward();
  });

  it('stops on the e-stop, latched: only reset_fault ends it, and not while it is pressed', async () => {
    await driver.publish('/estop', 'std_msgs/msg/Bool', { data: true });
    await command((x) => x === 0, 'a stop');
    await status('ESTOP');
    expect(await driver.trigger('/policy/reset_fault')).toMatchObject({ success: false, message: /pressed/ });
    await driver.publish('/estop', 'std_msgs/msg/Bool', { data: false });
    await stands();
    await status('ESTOP');
    await reset();
    await homeward();
  });

  it('pauses and goes on when asked to', async () => {
    expect(await driver.trigger('/policy/pause')).toMatchObject({ success: true });
    await command((x) => x === 0, 'a stop');
    await status('HOLDING', /paused/);
    expect(await driver.trigger('/policy/resume')).toMatchObject({ success: true });
    await homeward();
  });

  it('loads another policy while it drives, and keeps the old one where the new one is refused', async () => {
    const load = (path: string): Promise<Json> =>
      driver.call('/policy/load_policy', 'iq_learn/srv/LoadPolicy', { path });
    expect(await load(join(folder, 'nowhere'))).toMatchObject({ success: false, policy_version: -1 });
    await homeward();
    expect(await load(join(folder, 'away'))).toMatchObject({ success: true, policy_version: 2 });
    await command((x) => x > 0.9, 'commands of the other policy');
  });

  it('yields to a policy node that comes after it, loudly', async () => {
    await driver.subscribe('/policy_vel', 'geometry_msgs/msg/TwistStamped');
    const second = startExecutable('policy', [
      ...args(),
      ...['-p', 'autostart:=true', '-r', '__node:=second', '-r', 'cmd_vel:=policy_vel'],
    ]);
    await status('FAULT', /another policy node/);
    await driver.until(
      '/policy_vel',
      (message) => speed(message) < -0.9,
      'commands of the second, where it is told to',
    );
    await driver.diagnosed('policy', ({ level }) => level === 2, 'ERROR in /diagnostics');
    await policy.line(/another policy node .* has taken the robot/);
    expect(await driver.transition('policy', 'deactivate')).toBe(true);
    expect(await driver.transition('policy', 'activate')).toBe(true);
    await driver.diagnosed('second', ({ level }) => level === 2, 'the second one yielding');
    second.kill('SIGINT');
    expect(await second.exited).toEqual({ code: 0, signal: null });
  });

  it('says stop when it is ended, and exits with 0', async () => {
    await state(1);
    await driver.take('/cmd_vel'); // of before
    await command((x) => Math.abs(x) > 0.9, 'a robot in motion');
    policy.kill('SIGTERM');
    expect(await policy.exited).toEqual({ code: 0, signal: null });
    // It says nothing any more, but what it said last may still have to be taken.
    let last: number | undefined;
    await expect
      .poll(async () => (last = (await driver.take('/cmd_vel')).map(({ message }) => speed(message)).at(-1) ?? last))
      .toBe(0);
  });
});
