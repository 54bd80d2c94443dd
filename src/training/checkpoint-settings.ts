import { IqLearnError } from '../common/index.js';
import type { LearnerConfig, LearnerOptions, Metrics } from '../learning/index.js';
import type { Checkpoint } from '../platform/index.js';
import type { TrainingSummary } from '../policy/index.js';
import type { LearningOptions } from './process/protocol.js';

/** What the checkpoint holds of the trainer itself, next to the learner's state. */
export interface TrainerMeta {
  readonly version: number;
  readonly pendingUpdates: number;
  /** Transitions still to come that pay for no update; not in checkpoints from before there were random steps. */
  readonly unpaid?: number;
  /** Updates that a fleet's segments paid for and that were skipped. */
  readonly skippedUpdates?: number;
  readonly metricSums: Metrics;
  readonly updatesCounted: number;
  readonly summary: TrainingSummary;
  /** Manifest of the policy published before the newest segment; '' before the first. Its model is an array. */
  readonly previousManifest: string;
  /** Manifest of the candidate of the segment before the newest, where that had one. Its model is an array. */
  readonly candidateManifest?: string;
}

/** What a checkpoint holds of its trainer, with the models of its two policies. Throws CORRUPT_DATA where it has none. */
export function trainerOf({ meta, arrays }: Checkpoint) {
  const trainer = meta.trainer as TrainerMeta | undefined;
  const { 'trainer.previousModel': model, 'trainer.candidateModel': candidate } = arrays;
  if (trainer === undefined || !(model instanceof Uint8Array))
    throw new IqLearnError('CORRUPT_DATA', 'the checkpoint was not written by a learner node', {
      expected: "entries 'trainer' and 'trainer.previousModel'",
      remedy: 'resume it with the command that wrote it',
    });
  return { meta: trainer, model, candidate };
}

/** Where the checkpoints are. Throws INVALID_ARGUMENT where no folder was given. */
export function folderOf({ checkpoint }: LearningOptions): string {
  if (checkpoint === undefined)
    throw new IqLearnError('INVALID_ARGUMENT', 'there is no folder for checkpoints', {
      remedy: 'give one to save or resume',
    });
  return checkpoint.folder;
}

/** How the learner's program is executed, which may change on resuming. */
export function engineOf({
  device,
  threads,
  robots,
}: LearningOptions): Pick<LearnerOptions, 'device' | 'threads' | 'robots'> {
  return {
    ...(robots === undefined ? {} : { robots }),
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
  };
}

/** Says which settings of a run that goes on were given differently than when it began: those from its beginning count. */
export function sayKept(kept: LearnerConfig, given: LearnerConfig, warn: (message: string) => void): void {
  const [before, now] = [kept, given].map((config) => config as Readonly<Record<string, unknown>>);
  const names = [...new Set([...Object.keys(kept), ...Object.keys(given)])];
  const changed = names.filter((name) => JSON.stringify(before![name]) !== JSON.stringify(now![name]));
  if (changed.length === 0) return;
  const texts = changed.map(
    (name) => `${name}: ${JSON.stringify(before![name])} (given: ${JSON.stringify(now![name])})`,
  );
  warn(`the run goes on with the settings that it began with, ${texts.join(', ')}; other settings need a new run`);
}
