import { IqLearnError } from '../common/index.js';
import { type RecordingSummary, RecordingWriter } from '../demonstrations/index.js';
import { type Driver, ExpertNode, PolicyNode, RecorderNode, services } from '../nodes/index.js';
import { cannotWrite, join, makeFolder, removeEmptyFolders, removeFile } from '../platform/index.js';
import { conductDemonstrations, type DemonstrationOutcomes, type EpisodeOutcome } from './conductor.js';
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

export interface Demonstrations extends DemonstrationOutcomes {
  readonly recording: RecordingSummary;
}

/** Removes a recording without an episode that counts, which would only block its folder, and the folders made for it. */
function removeWhereEmpty(
  { folder, file, episodes, discarded }: RecordingSummary,
  outermost: string | undefined,
): void {
  if (episodes > discarded) return;
  removeFile(file);
  removeFile(join(folder, 'metadata.yaml'));
  if (outermost !== undefined) removeEmptyFolders(folder, outermost);
}

/** The outermost folder that had to be made. Throws IO. */
function madeFolder(folder: string): string | undefined {
  try {
    return makeFolder(folder);
  } catch (cause) {
    throw cannotWrite(folder, cause, 'choose another folder, or change its permissions');
  }
}

const isCancelled = (error: unknown): boolean => error instanceof IqLearnError && error.code === 'CANCELLED';

/**
 * Records demonstrations as a person gives them: the driver sees the state topics and acts on the teleoperation topic,
 * the policy node passes its commands through the safety filter, the recorder writes the raw topics.
 * Interrupted (CANCELLED) or failed, what was finished before is whole on the disk; interrupted before anything was
 * finished, nothing is left.
 */
export async function runDemonstrations(options: DemonstrationOptions): Promise<Demonstrations> {
  const { spec, seed, folder } = options;
  const outermost = madeFolder(folder);
  const writer = await RecordingWriter.create(folder, { spec, session: `demonstrations ${seed}` });
  try {
    return await record(options, writer);
  } catch (error) {
    const summary = await writer.close();
    if (isCancelled(error)) removeWhereEmpty(summary, outermost);
    throw error;
  }
}

async function record(options: DemonstrationOptions, writer: RecordingWriter): Promise<Demonstrations> {
  const { spec, driver, episodes, seed, keepFailures = false, onEpisode } = options;
  const rig = await Rig.create(options);
  const recorder = new RecorderNode(rig.context('recorder'), writer);
  let outcomes: DemonstrationOutcomes;
  try {
    rig.add(recorder);
    rig.add(new PolicyNode(rig.context('policy'), { source: 'teleop' }));
    rig.add(new ExpertNode(rig.context('expert'), driver));
    outcomes = await conductDemonstrations(rig.conductor, {
      robot: spec.robot,
      seed,
      episodes,
      keepFailures,
      onEpisode(outcome, kept) {
        if (writer.error !== null) throw writer.error;
        onEpisode?.(outcome, kept);
      },
    });
  } catch (error) {
    // An episode that a person cuts short is no demonstration; one that a fault cuts is kept as truncated.
    if (isCancelled(error)) await rig.conductor.trigger(services.discardRecording).catch(() => undefined);
    throw error;
  } finally {
    await rig.close();
    await writer.close();
  }
  return { recording: recorder.summary!, ...outcomes };
}
