import type { IqLearnError, SteadyClock } from '../common/index.js';
import type { RobotSpec } from '../robot/index.js';
import type { RecordingFile } from './recording-file.js';

export interface RecordingOptions {
  readonly spec: RobotSpec;
  /** Identity of the run that records. */
  readonly session: string;
  /** Name and version of the program; iq_learn. */
  readonly software?: string;
  /** Messages of at most this many seconds are lost if the process is killed. Default 1. */
  readonly flushSeconds?: number;
  /** A chunk is closed once it is longer than this. Default 1 MiB. */
  readonly chunkBytes?: number;
  /** If more bytes than this wait for a slow disk, the recording ends instead of filling the memory. Default 64 MiB. */
  readonly maxPendingBytes?: number;
  /** Called once if writing fails. Recording ends there; nothing is thrown into the robot's control loop. */
  readonly onError?: (error: IqLearnError) => void;
  readonly clock?: SteadyClock;
  /** Creates what the bytes are written to. Default: a file on the disk. */
  readonly createFile?: (path: string) => Promise<RecordingFile>;
}

export interface RecordingSummary {
  readonly folder: string;
  /** The MCAP file; its name ends in `.part` if it could not be completed (see `recover`). */
  readonly file: string;
  readonly messages: number;
  /** Episodes that were started, including discarded ones. */
  readonly episodes: number;
  readonly discarded: number;
  /** True if writing failed: the last episode is cut short. */
  readonly partial: boolean;
  /** Messages that were not recorded because writing had failed. */
  readonly lost: number;
}
