import type { Driver } from '../nodes/index.js';
import { createNodeLogger, type Logger, type LoggerOptions } from '../platform/index.js';
import type { RobotSpec } from '../robot/index.js';
import type { EpisodeOutcome } from '../sessions/index.js';
import { runDemonstrations } from '../sessions/index.js';
import type { TrainingSettings } from '../simulation/index.js';
import type { Io } from './command.js';
import type { Display } from './display.js';
import type { OutputOptions } from './output.js';

/** What all steps of one command use. */
export interface Session {
  readonly io: Io;
  readonly display: Display;
  readonly spec: RobotSpec;
  readonly settings: TrainingSettings;
  readonly seed: number;
  readonly logger: (node: string) => Logger;
}

/**
 * Loggers of a run's nodes. They write to a file, because the terminal shows the command's own progress; where a run has
 * no folder, warnings go to stderr.
 */
export function fileLogger(file: string | undefined, { logLevel, logFormat }: OutputOptions): (node: string) => Logger {
  const options: LoggerOptions = {
    ...(logLevel === undefined ? {} : { level: logLevel }),
    ...(logFormat === undefined ? {} : { format: logFormat }),
  };
  const loggers = new Map<string, Logger>();
  return (node) => {
    let logger = loggers.get(node);
    if (logger === undefined) {
      logger = createNodeLogger(
        node,
        file === undefined ? { level: 'warn', ...options } : { ...options, file, console: false },
      );
      loggers.set(node, logger);
    }
    return logger;
  };
}

export interface Demonstrated {
  readonly episodes: readonly EpisodeOutcome[];
  readonly seconds: number;
}

/** Lets the expert demonstrate over the teleoperation topic, and records the episodes. */
export async function demonstrate(
  session: Session,
  driver: Driver,
  episodes: number,
  folder: string,
): Promise<Demonstrated> {
  const { io, display, spec, settings, seed, logger } = session;
  const started = performance.now();
  const returns: number[] = [];
  let steps = 0;
  const outcome = await runDemonstrations({
    spec,
    driver,
    episodes,
    seed,
    folder,
    logger,
    signal: io.interrupt.signal,
    keepFailures: !settings.hasSuccess,
    ...(settings.demonstrationTask === undefined ? {} : { task: settings.demonstrationTask }),
    onEpisode: ({ return: total, length }, kept) => {
      if (kept) returns.push(total);
      steps += length;
      display.show({
        phase: 'demonstrating',
        done: returns.length,
        total: episodes,
        unit: 'episodes',
        ...(returns.length === 0 ? {} : { return: returns.at(-1)!, returns }),
      });
    },
  });
  const seconds = (performance.now() - started) / 1000;
  const discarded = outcome.discarded === 0 ? '' : `, ${outcome.discarded} without success thrown away`;
  display.say(`recorded ${outcome.episodes.length} demonstrations, ${steps} steps${discarded}: ${folder}`);
  return { episodes: outcome.episodes, seconds };
}
