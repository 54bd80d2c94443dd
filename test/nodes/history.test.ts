import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RecordingWriter, readDemonstrations } from '#src/demonstrations/index.js';
import type { Transition } from '#src/messages/index.js';
import { emptyMessage, stampOf } from '#src/messages/index.js';
import { ExpertNode, PolicyNode, RecorderNode, SimulatorNode } from '#src/nodes/index.js';
import type { PolicyRuntime } from '#src/policy/index.js';
import { contractOf, parseRobotSpec } from '#src/robot/index.js';
import { stateOf } from '../support/state.js';
import { Rig, specText, Trolley, until } from './toy.js';
import { quickPolicy, VirtualTime } from './virtual-time.js';

/** The trolley with its place over three periods and its last two commands. */
const text = specText
  .replace('unit: m, low: -10, high: 10', 'unit: m, low: -10, high: 10, steps: 3')
  .replace('command: {', '  - { past_actions: [speed], steps: 2 }\ncommand: {');
const spec = parseRobotSpec(text, 'trolley.yaml');
const names = spec.observation.map(({ name }) => name);
const driver = {
  reset() {},
  act: (observation: unknown) => [Math.max(-1, Math.min(1, -4 * (observation as Float32Array)[2]!))],
};

/** Every value of an earlier period is that of the transition before; an episode begins with its first value, at rest. */
function expectHistory(transitions: readonly Transition[]): void {
  let before: Transition | undefined;
  for (const transition of transitions) {
    const seen = transition.observation;
    const follows = before?.episode === transition.episode && before.step + 1 === transition.step;
    if (transition.step === 0) expect([...seen]).toEqual([seen[2], seen[2], seen[2], seen[3], 0, 0]);
    if (follows) {
      const old = before!.observation;
      expect([...seen.slice(0, 2), seen[4], seen[5]]).toEqual([old[1], old[2], old[5], before!.action[0]]);
      expect([...before!.next_observation]).toEqual([...seen]);
    }
    before = transition;
  }
}

describe('history, from the robot to learning', () => {
  it('in lockstep: what is learnt from while driving is what is read of the recording, bit for bit', async () => {
    expect(names).toEqual(['x[-2]', 'x[-1]', 'x', 'v', 'action.speed[-2]', 'action.speed[-1]']);
    const folder = mkdtempSync(join(tmpdir(), 'iq-history-'));
    const rig = new Rig({ robot: spec });
    try {
      const states = rig.listen('/task_state', 'iq_learn/msg/TaskState');
      const transitions = rig.listen('/transitions', 'iq_learn/msg/Transition');
      const writer = await RecordingWriter.create(join(folder, 'bag'), { spec, session: 'test' });
      rig.start(new SimulatorNode(rig.context('simulator'), new Trolley()));
      const recorder = rig.start(new RecorderNode(rig.context('recorder'), writer));
      rig.start(new PolicyNode(rig.context('policy'), { source: 'teleop' }));
      rig.start(new ExpertNode(rig.context('expert'), driver));
      for (const seed of [6, 9]) {
        await rig.startEpisode('/recorder/start_episode', seed);
        const { episode } = await rig.startEpisode('/simulator/start_episode', seed);
        const ended = () => states.at(-1)?.episode === episode && states.at(-1)!.terminated;
        await until(ended, 'the end');
        await rig.trigger('/recorder/stop_episode');
      }
      await recorder.shutdown();
      expect(transitions.length).toBeGreaterThan(20);
      expectHistory(transitions);
      for (const action of ['teleop', 'command'] as const) {
        const { episodes } = await readDemonstrations([join(folder, 'bag')], spec, { action });
        const rows = episodes.flatMap(({ observations, length }) =>
          Array.from({ length }, (_, t) => [...stateOf(observations).subarray(t * 6, t * 6 + 6)]),
        );
        expect(rows).toEqual(transitions.map(({ observation }) => [...observation]));
      }
    } finally {
      await rig.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('in real time: across a takeover, a gap, and from one episode to the next', async () => {
    const time = new VirtualTime(spec);
    try {
      const { rig } = time;
      const transitions = rig.listen('/transitions', 'iq_learn/msg/Transition');
      const task = Object.assign(new Trolley(), { maxSteps: 1e9 });
      rig.start(new SimulatorNode(rig.context('simulator'), task, { pace: 'realtime' }));
      const runtime: PolicyRuntime = {
        ...(await quickPolicy()),
        contract: contractOf(spec),
        act: async (observation) => Float32Array.of(Math.tanh(-2 * (observation as Float32Array)[2]!)),
      };
      rig.start(new PolicyNode(rig.context('policy'), { pace: 'realtime' }, runtime));
      await rig.startEpisode('/simulator/start_episode', 6);
      await time.until(() => transitions.length > 4, 'driving');
      const twist = emptyMessage('geometry_msgs/msg/TwistStamped');
      twist.header.stamp = stampOf(BigInt(Date.now()) * 1_000_000n);
      twist.twist.linear.x = 0.25;
      rig.say('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', twist);
      await time.until(() => transitions.at(-1)!.intervention, 'the takeover');
      await time.pass(600);
      expect(transitions.some(({ action }) => action[0] === 0.25)).toBe(true);
      await time.block(400); // the event loop stands still: periods are missed
      await time.pass(300);
      const gap = transitions.findIndex(({ step }, i) => i > 0 && step > transitions[i - 1]!.step + 1);
      expect(gap).toBeGreaterThan(0);
      expect(transitions.some(({ terminated }) => terminated)).toBe(false); // the next one begins in the midst of this one
      await rig.startEpisode('/simulator/start_episode', 9);
      await time.until(() => transitions.at(-1)!.episode > 1 && transitions.at(-1)!.step > 4, 'another episode');
      expect(transitions.find(({ episode }) => episode > 1)).toMatchObject({ step: 0 });
      expectHistory(transitions);
    } finally {
      await time.close();
    }
  });
});
