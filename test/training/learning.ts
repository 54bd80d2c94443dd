import { type IqLearnError, Random } from '#src/common/index.js';
import { type Episode, type LearnerSettings, learnerConfig } from '#src/learning/index.js';
import { contractOf } from '#src/robot/index.js';
import type { LearningOptions, LearningProgress, Segment, SessionState, TrainingProcess } from '#src/training/index.js';
import { spec } from '../nodes/toy.js';

export const demonstration = (seed: number): Episode => {
  const random = new Random(seed);
  const length = 60;
  return {
    length,
    observations: random.fillNormal(new Float32Array(2 * (length + 1))),
    actions: Float32Array.from({ length }, () => random.uniform(-0.9, 0.9)),
    terminated: false,
  };
};
/** An episode ends with the eighth transition. */
export const segment = (seed: number, length = 20): Segment => {
  const random = new Random(seed);
  const observations = random.fillNormal(new Float32Array(2 * length));
  const actions = Float32Array.from({ length }, () => random.uniform(-1, 1));
  return {
    length,
    observations,
    actions,
    nextObservations: random.fillNormal(new Float32Array(2 * length)),
    terminated: Uint8Array.from({ length }, (_, i) => (i === 7 ? 1 : 0)),
    demonstrated: new Uint8Array(length),
  };
};
/** What a session wants to find again: learning stores it and does not look into it. */
export const session = (seed: number): SessionState => ({
  meta: { episodes: seed, deep: { names: ['a', 'b'] } },
  arrays: { commands: Float32Array.of(seed, 0.5), empty: new Float32Array(0) },
});
export const options = (
  settings: Partial<Extract<LearnerSettings, { agent: 'iq-sac' }>> = {},
  change: Partial<LearningOptions> = {},
): LearningOptions => ({
  config: learnerConfig({ agent: 'iq-sac', hiddenSizes: [16], batchSize: 16, ...settings }),
  contract: contractOf(spec),
  seed: 1,
  demonstrations: [demonstration(1)],
  updatesPerTransition: 0.5,
  threads: 1,
  ...change,
});

/** Collects what a learning says. */
export function follow(learning: TrainingProcess) {
  const heard = {
    progress: [] as LearningProgress[],
    warnings: [] as string[],
    failures: [] as [IqLearnError, number | null][],
  };
  learning.listen({
    progress: (progress) => heard.progress.push(progress),
    warning: (message) => heard.warnings.push(message),
    failure: (error, restored) => heard.failures.push([error, restored]),
  });
  return heard;
}
