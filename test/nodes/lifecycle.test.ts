import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '#src/common/clock.js';
import { ExpertNode, PolicyNode, SimulatorNode } from '#src/nodes/index.js';
import { SequenceTracker } from '#src/nodes/kit/sequence-tracker.js';
import { Rig, Trolley } from './toy.js';

describe('the lifecycle of a node', () => {
  const rig = new Rig();
  afterEach(() => vi.useRealTimers());

  it('fault F33: goes configure, activate, deactivate and back, and refuses the rest with the reason, changing nothing', async () => {
    const node = new SimulatorNode(rig.context('simulator'), new Trolley());
    expect(() => node.activate()).toThrow(/cannot activate now; found: the node is unconfigured/);
    expect(() => node.deactivate()).toThrow(/cannot deactivate now/);
    expect(node.state).toBe('unconfigured');
    node.configure();
    expect(() => node.configure()).toThrow(/cannot configure now; found: the node is inactive/);
    node.activate();
    expect(() => node.activate()).toThrow(/found: the node is active/);
    expect(node.state).toBe('active');
    node.deactivate();
    node.activate();
    await node.shutdown();
    await node.shutdown();
    expect(node.state).toBe('finalized');
    expect(() => node.configure()).toThrow(/found: the node is finalized/);
  });

  it('callbacks are synchronous, as those of ROS 2 are', async () => {
    const node = new SimulatorNode(rig.context('simulator'), new Trolley());
    expect(node.configure()).toBeUndefined();
    expect(node.activate()).toBeUndefined();
    expect(node.deactivate()).toBeUndefined();
    await node.shutdown();
  });

  it('fault F33: refuses bad parameters by name, before and while it runs', async () => {
    const context = rig.context('simulator');
    expect(() => new SimulatorNode(context, new Trolley(), { pace: 'fast' } as never)).toThrow(
      /simulator: bad parameter pace; found: "fast"/,
    );
    expect(() => new SimulatorNode(context, new Trolley(), { pase: 'lockstep' } as never)).toThrow(
      /bad parameter pase.*known parameters: pace, seed, repeatMs, quietMs/,
    );
    const node = new SimulatorNode(context, new Trolley(), { quietMs: 100 });
    node.configure();
    expect(() => node.setParameters({ pace: 'realtime' })).toThrow(/fixed while the node is inactive; found: pace/);
    expect(() => node.setParameters({ quietMs: -1 })).toThrow(/bad parameter quietMs; found: -1/);
    expect(node.parameters).toMatchObject({ pace: 'lockstep', quietMs: 100 });
    node.setParameters({ quietMs: 200 });
    expect(node.parameters.quietMs).toBe(200);
    await node.shutdown();
  });

  it('leaves nothing half configured when configuring fails', async () => {
    const wrong = new Trolley();
    Object.assign(wrong, {
      actionSpace: { kind: 'box', dimensions: [{ name: 'pace', unit: 'm/s', low: -1, high: 1 }] },
    });
    const node = new SimulatorNode(rig.context('simulator'), wrong);
    expect(() => node.configure()).toThrow(
      /the task trolley is not the robot trolley: an action is not in the description; found: pace; expected: speed/,
    );
    expect(node.state).toBe('unconfigured');
    // Its services are free for another node.
    const other = new SimulatorNode(rig.context('simulator'), new Trolley());
    other.configure();
    await other.shutdown();
    await node.shutdown();
  });

  it('tells its state on /diagnostics every second while active', async () => {
    const own = new Rig({ manual: new ManualClock(1n) });
    const heard = own.listen('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
    vi.useFakeTimers();
    const teleop = own.start(new ExpertNode(own.context('expert'), { reset() {}, act: () => [0] }));
    await vi.advanceTimersByTimeAsync(2100);
    expect(heard.map(({ status }) => status[0]!.name)).toEqual(['expert', 'expert']);
    expect(heard[0]!.status[0]).toMatchObject({ level: 0, message: 'engaged', hardware_id: 'trolley' });
    teleop.deactivate();
    await vi.advanceTimersByTimeAsync(3000);
    expect(heard.length).toBe(2);
    vi.useRealTimers();
    await own.close();
  });

  it('fault F12: says clearly that /clock never came, and stays still', async () => {
    vi.useFakeTimers();
    const clock = new ManualClock(1n);
    const own = new Rig({ manual: clock });
    const commands = own.listen('/cmd_vel', 'geometry_msgs/msg/TwistStamped');
    const policy = own.start(new PolicyNode(own.context('policy'), { explore: 'random' }));
    clock.advanceMs(4900);
    await vi.advanceTimersByTimeAsync(1100);
    expect(own.records).toEqual([]);
    clock.advanceMs(1000);
    await vi.advanceTimersByTimeAsync(5000);
    const said = own.records.filter(({ level }) => level === 'error').map(({ message }) => message);
    expect(said).toEqual([expect.stringMatching(/^no \/clock for 5\.9 s: start the simulation/)]);
    expect(policy.status()).toMatchObject({ level: 2, message: expect.stringContaining('no /clock') });
    expect(commands).toEqual([]);
    vi.useRealTimers();
    await own.close();
  });
});

describe('sequence numbers', () => {
  it('fault F14: every number is new exactly once, whatever the order, and what is missing is counted', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 200 }), (numbers) => {
        const tracker = new SequenceTracker();
        const seen = new Set<number>();
        for (const n of numbers) {
          expect(tracker.accept(BigInt(n))).toBe(!seen.has(n));
          seen.add(n);
        }
        const highest = Math.max(-1, ...numbers);
        expect(tracker.missing).toBe(BigInt(highest + 1 - seen.size));
        expect(tracker.duplicates).toBe(BigInt(numbers.length - seen.size));
      }),
    );
  });

  it('keeps a bounded memory over enormous gaps', () => {
    const tracker = new SequenceTracker();
    tracker.accept(0n);
    expect(tracker.accept(1n << 60n)).toBe(true);
    expect(tracker.missing).toBe((1n << 60n) - 1n);
    expect(tracker.accept(5n)).toBe(false); // too old to tell
    expect(tracker.accept((1n << 60n) - 1n)).toBe(true);
    for (let n = 0n; n < 20_000n; n += 2n) tracker.accept((1n << 60n) + n);
    expect(tracker.missing).toBe((1n << 60n) - 2n + 9_999n);
  });
});
