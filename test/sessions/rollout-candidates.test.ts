import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DemonstrationEpisode } from '#src/demonstrations/index.js';
import { learnerConfig } from '#src/learning/index.js';
import { emptyMessage, type Transition } from '#src/messages/index.js';
import type { LearnerNode } from '#src/nodes/index.js';
import type { PolicyBundle } from '#src/policy/index.js';
import { rolloutCandidates } from '#src/sessions/index.js';
import { spec } from '../nodes/toy.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-rollout-candidates-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LENGTH = 12;
const at = (t: number, offset: number): Float32Array => Float32Array.from(spec.observation, () => t / LENGTH + offset);
const action = Float32Array.from(spec.action, ({ low, high }) => (low + high) / 2);
const demonstration = {
  length: LENGTH,
  observations: Float32Array.from(Array.from({ length: LENGTH + 1 }, (_, t) => [...at(t, 0)]).flat()),
  actions: Float32Array.from(Array.from({ length: LENGTH }, () => [...action]).flat()),
  terminated: false,
} as unknown as DemonstrationEpisode;
const bundle: PolicyBundle = { model: Uint8Array.of(1), manifest: '{}' };

it('compares whole episodes that the policy drove by itself, in the order of the transitions', () => {
  let tell: (transition: Transition) => void = () => {};
  const node = {
    progress: { version: 0 },
    onTransition: (listener: typeof tell) => {
      tell = listener;
    },
  } as unknown as LearnerNode;
  const config = learnerConfig({ agent: 'iq-sac' });
  const choice = rolloutCandidates(node, { spec, config, demonstrations: [demonstration], folder });
  let episode = 0;
  const drive = (offset: number, change: (transition: Transition, t: number) => Partial<Transition> = () => ({})) => {
    for (let t = 0; t < LENGTH; t++) {
      const transition = {
        ...emptyMessage('iq_learn/msg/Transition'),
        session: 'one',
        episode,
        step: t,
        observation: at(t, offset),
        action,
        next_observation: at(t + 1, offset),
        truncated: t === LENGTH - 1,
      };
      tell({ ...transition, ...change(transition, t) });
    }
    episode++;
  };
  for (let i = 0; i < 4; i++) drive(0);
  // Neither an episode that a person took over, nor one with a gap, says how the policy drives.
  drive(5, (_, t) => ({ intervention: t === 3 }));
  drive(5, (_, t) => (t === 3 ? { step: 4 } : {}));
  expect(choice.add(1, bundle)).toBeUndefined();
  drive(0);
  expect(choice.add(2, bundle)).toMatchObject({ version: 2, episodes: 5 });
  expect(choice.scores[0]!.distance).toBeLessThan(0.05);
  drive(0.5);
  expect(choice.add(3, bundle)!.worst).toBeGreaterThan(0.1);
});
