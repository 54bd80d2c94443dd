import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RecordingWriter, readDemonstrations } from '#src/demonstrations/index.js';
import { PolicyNode, RecorderNode, SimulatorNode } from '#src/nodes/index.js';
import { stackTransitions } from '#src/nodes/kit/transition-pieces.js';
import type { PolicyRuntime } from '#src/policy/index.js';
import { contractOf, parseRobotSpec } from '#src/robot/index.js';
import { learningEpisode } from '#src/sessions/learning-episode.js';
import { Rig, specText, Trolley, until } from './toy.js';
import { quickPolicy } from './virtual-time.js';

/** The trolley, whose speed may change by 0.4 m/s a period and is given as a delta of up to 0.5 m/s. */
const spec = parseRobotSpec(
  specText.replace('max_rate: 40', 'max_rate: 8, delta: { of: v, most: 0.5 }'),
  'trolley.yaml',
);

describe('delta actions, from the policy to the robot and to learning', () => {
  it('drive by the sum, within its limits and rates, and are learnt as deltas: live and of a recording the same', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'iq-delta-'));
    const rig = new Rig({ robot: spec });
    try {
      const states = rig.listen('/task_state', 'iq_learn/msg/TaskState');
      const transitions = rig.listen('/transitions', 'iq_learn/msg/Transition');
      const writer = await RecordingWriter.create(join(folder, 'bag'), { spec, session: 'test' });
      const task = new Trolley();
      rig.start(new SimulatorNode(rig.context('simulator'), task));
      const recorder = rig.start(new RecorderNode(rig.context('recorder'), writer));
      // Away from the origin: always as much faster as can be said.
      const given = Float32Array.of(0.5);
      const runtime: PolicyRuntime = { ...(await quickPolicy()), contract: contractOf(spec), act: async () => given };
      rig.start(new PolicyNode(rig.context('policy'), {}, runtime));
      await rig.startEpisode('/recorder/start_episode', 6);
      const { episode } = await rig.startEpisode('/simulator/start_episode', 6);
      await until(() => states.at(-1)?.episode === episode && states.at(-1)!.truncated, 'the end');
      await rig.trigger('/recorder/stop_episode');
      await recorder.shutdown();

      // 0.4 m/s a period is what the rate allows, then the limit.
      expect(task.actions.slice(0, 4)).toEqual([0.4, 0.8, 1, 1].map(Math.fround));
      expect(transitions.map(({ action }) => action[0])).toEqual(task.actions);
      const learnt = stackTransitions(transitions, spec);
      const speeds = transitions.map(({ observation }) => observation[1]!);
      // What was executed counts, not what was wanted: 0.4 of the 0.5 that the policy gave.
      expect(learnt.actions[0]).toBeCloseTo(0.8, 5);
      expect(learnt.actions[10]).toBeCloseTo(0, 6);
      learnt.actions.forEach((action, i) => {
        expect(action).toBeCloseTo((task.actions[i]! - speeds[i]!) / 0.5, 5);
      });
      const { episodes } = await readDemonstrations([join(folder, 'bag')], spec, { action: 'command' });
      const [read] = episodes;
      expect(episodes.length).toBe(1);
      expect([...read!.actions]).toEqual(task.actions);
      expect([...learningEpisode(read!, spec).actions]).toEqual([...learnt.actions]);
    } finally {
      await rig.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('explore within what a policy could give', async () => {
    const rig = new Rig({ robot: spec });
    try {
      const transitions = rig.listen('/transitions', 'iq_learn/msg/Transition');
      rig.start(new SimulatorNode(rig.context('simulator'), new Trolley()));
      rig.start(new PolicyNode(rig.context('policy'), { explore: 'random' }));
      await rig.startEpisode('/simulator/start_episode', 6);
      await until(() => transitions.length > 20, 'random steps');
      const { actions } = stackTransitions(transitions, spec);
      expect(actions.every((action) => Math.abs(action) <= 1 + 1e-5)).toBe(true);
      expect(new Set(actions).size).toBeGreaterThan(10);
    } finally {
      await rig.close();
    }
  });
});
