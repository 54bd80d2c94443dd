import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ActionRange, vectorObservation } from '#src/common/index.js';
import { encodeBundle } from '#src/policy/index.js';
import type { Environment } from '#src/simulation/index.js';
import { environmentCandidates } from '#src/training/index.js';
import { contract, linearPolicy } from '../policy/policy.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-interrupted-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

// Policies and environments of this thread answer at once, so that a loop over them hears of Ctrl-C only where it yields.
it('candidates that drive in an environment of this thread hear of an interrupt in the middle of an episode', async () => {
  const { action } = contract;
  const width = contract.observation.length;
  let steps = 0;
  const interrupt = new AbortController();
  const endless: Environment = {
    observation: vectorObservation(width),
    actionRange: ActionRange.of(action),
    reset: () => new Float32Array(width),
    step: () => {
      steps++;
      if (steps === 100) setTimeout(() => interrupt.abort());
      if (steps > 1e6) throw new Error('nobody heard');
      return { observation: new Float32Array(width), reward: 0, terminated: false, truncated: false };
    },
  };
  const choice = environmentCandidates({
    environment: endless,
    demonstrations: [
      {
        length: 2,
        observations: Float32Array.from({ length: 3 * width }, (_, i) => i),
        actions: new Float32Array(2 * action.length),
        terminated: false,
      },
    ],
    statesOnly: false,
    seed: 1,
    folder,
    task: 'endless',
    signal: interrupt.signal,
  });
  const bundle = await encodeBundle({ policy: linearPolicy().policy, contract, version: 1, training: {} });
  await expect(choice.choose({ version: 1, bundle })).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(steps).toBeGreaterThanOrEqual(100);
}, 60_000);
