import { IqLearnError, Random } from '../common/index.js';
import { type RecordingSummary, RecordingWriter } from '../demonstrations/index.js';
import { type Driver, ExpertNode, PolicyNode, RecorderNode, services } from '../nodes/index.js';
import type { EpisodeOutcome } from './episode-follower.js';
import { Rig, type RigOptions } from './rig.js';

export interface DemonstrationOptions extends RigOptions {
  /** Who demonstrates. */
  readonly driver: Driver;
  /** Episodes to keep. */
  readonly episodes: number;
  /** Of the starts. */
  readonly seed: number;
  /** A new folder for the recording. */
  readonly folder: string;
  /** Keeps episodes without success too; by default they are thrown away and driven again from another start. */
  readonly keepFailures?: boolean;
  readonly onEpisode?: (outcome: EpisodeOutcome, kept: boolean) => void;
}

export interface Demonstrations {
  readonly recording: RecordingSummary;
  /** Those that were kept. */
  readonly episodes: readonly EpisodeOutcome[];
  readonly discarded: number;
}

/** How many failed episodes in a row are enough. */
const MAX_FAILURES = 20;

/** The seed of the i-th start of a run, for one purpose. */
export function startSeed(seed: number, purpose: string, i: number): number {
  return Random.derive(seed, `${purpose} ${i}`).uint32();
}

/**
 * Records demonstrations as a person gives them: the driver sees the state topics and acts on the teleoperation topic,
 * the policy node passes its commands through the safety filter, the recorder writes the raw topics.
 * Interrupted (CANCELLED) or failed, what was finished before is whole on the disk.
 */
export async function runDemonstrations(options: DemonstrationOptions): Promise<Demonstrations> {
  const { spec, driver, episodes, seed, folder, keepFailures = false, onEpisode } = options;
  const writer = await RecordingWriter.create(folder, { spec, session: `demonstrations ${seed}` });
  let rig: Rig;
  try {
    rig = await Rig.create(options);
  } catch (error) {
    await writer.close();
    throw error;
  }
  const recorder = new RecorderNode(rig.context('recorder'), writer);
  const kept: EpisodeOutcome[] = [];
  let discarded = 0;
  try {
    rig.add(recorder);
    rig.add(new PolicyNode(rig.context('policy'), { source: 'teleop' }));
    rig.add(new ExpertNode(rig.context('expert'), driver));
    for (let i = 0, failures = 0; kept.length < episodes; i++) {
      const start = startSeed(seed, 'demonstration', i);
      await rig.start(services.startRecording, start);
      await rig.start(services.startTeleop, start);
      const outcome = await rig.runEpisode(start);
      const keep = keepFailures || outcome.success;
      await rig.trigger(keep ? services.stopRecording : services.discardRecording);
      if (writer.error !== null) throw writer.error;
      onEpisode?.(outcome, keep);
      if (keep) {
        kept.push(outcome);
        failures = 0;
        continue;
      }
      discarded++;
      if (++failures >= MAX_FAILURES)
        throw new IqLearnError('UNAVAILABLE', `the driver does not succeed as ${spec.robot}`, {
          found: `${failures} episodes in a row without success`,
          expected: 'demonstrations worth imitating',
          remedy: 'choose another expert, or keep failures too',
        });
    }
  } catch (error) {
    // An episode that a person cuts short is no demonstration; one that a fault cuts is kept as truncated.
    if (error instanceof IqLearnError && error.code === 'CANCELLED')
      await rig.trigger(services.discardRecording).catch(() => undefined);
    throw error;
  } finally {
    await rig.close();
    await writer.close();
  }
  return { recording: recorder.summary!, episodes: kept, discarded };
}
