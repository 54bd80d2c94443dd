import { join, resolve } from 'node:path';
import { z } from 'zod';
import { IqLearnError, steadyClock } from '../../../common/index.js';
import {
  type EpisodeCounts,
  type EpisodeHooks,
  keptOf,
  noEpisodes,
  SupervisorNode,
  supervisorSchema,
} from '../../../nodes/index.js';
import { lockFolder, timestamp } from '../../../platform/index.js';
import { Trials } from '../../../sessions/index.js';
import { type ProgramExecutable, program } from '../executable.js';
import { sessionCounts } from '../session-folders.js';

const schema = z.strictObject({
  ...supervisorSchema.shape,
  recordings: z.string().min(1).default('recordings').describe('Folder that holds recordings.'),
  session: z
    .string()
    .default('')
    .describe('Name of the recording: the episodes of its earlier parts count. Empty: none does.'),
  policies: z
    .string()
    .default('')
    .describe('Folders of policies to evaluate, separated by commas, each in as many trials; empty: none.'),
  trials: z.int().min(1).max(10_000).default(10).describe('Evaluation: trials of each policy.'),
  blind: z.boolean().default(false).describe('Evaluation: the person is not told which policy drives.'),
  seed: z.int().min(0).max(0xffffffff).default(0).describe('Evaluation: of the order of the policies.'),
  out: z
    .string()
    .default('')
    .describe(
      'Evaluation: folder of the results; one with results of the same evaluation is gone on with. Empty: a new one.',
    ),
});

type Given = Parameters<ProgramExecutable<typeof schema>['run']>[0];

/** What a session consists of: whom it serves, what there is already, and what is left when it ends. */
interface Course {
  readonly episodes: number;
  readonly timeUp: 'unknown' | 'success' | 'failure';
  readonly before: EpisodeCounts;
  readonly hooks: EpisodeHooks;
  finish(counts: EpisodeCounts): void;
}

async function evaluation({ ros, spec, parameters, logger }: Given): Promise<Course> {
  const { policies, trials: each, seed, blind, timeUp, out } = parameters;
  const folder = resolve(out === '' ? join('runs', `${spec.robot}-trials-${timestamp()}`) : out);
  const lock = lockFolder(folder);
  try {
    const folders = policies.split(',').filter((path) => path !== '');
    const trials = await Trials.open({ spec, policies: folders, trials: each, seed, blind, folder });
    logger.info(`the evaluation is in ${folder}`);
    return {
      episodes: trials.wanted,
      // An episode that reaches its longest time has not succeeded.
      timeUp: timeUp === 'unknown' ? 'failure' : timeUp,
      before: trials.counts,
      hooks: trials.hooks(ros.transport),
      finish() {
        const report = trials.report(new Date());
        lock.release();
        process.stdout.write(`\n${trials.table}\n\nreport: ${report}\n`);
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function recording({ parameters, logger }: Given): Promise<Course> {
  const { recordings, session, episodes, timeUp } = parameters;
  const warn = (text: string): void => void logger.warn(text);
  const before = session === '' ? noEpisodes : await sessionCounts(join(recordings, session), warn);
  return {
    episodes,
    timeUp,
    before,
    hooks: {},
    finish(counts) {
      const { success, failure, unknown, discarded } = counts;
      process.stdout.write(
        `\n${keptOf(counts)} episodes kept: ${success} success, ${failure} failure, ${unknown} without a verdict; ${discarded} thrown away\n`,
      );
    },
  };
}

export const supervisor = program({
  name: 'supervisor',
  summary: 'conducts the episodes of a real robot: a person starts and judges them, by key, button, service or topic',
  schema: () => schema,
  async run(given) {
    const { ros, spec, parameters, logger, signal } = given;
    const {
      recordings: _,
      session: __,
      policies,
      trials: ___,
      blind: ____,
      seed: _____,
      out: ______,
      ...own
    } = parameters;
    if (policies !== '' && own.episodes > 0)
      throw new IqLearnError('INVALID_ARGUMENT', 'an evaluation has as many episodes as it has trials', {
        found: `episodes ${own.episodes} with policies`,
        expected: 'trials, the number for each policy',
      });
    const course = policies !== '' ? await evaluation(given) : await recording(given);
    const { episodes, timeUp, before, hooks } = course;
    const context = {
      transport: ros.transport,
      spec,
      clock: steadyClock,
      logger,
      label: `${ros.namespace}/${ros.name}`.replace(/^\/+/, ''),
      stampNs: () => ros.clock.nowNs(),
    };
    const node = new SupervisorNode(context, { ...own, episodes, timeUp }, hooks, before);
    try {
      node.configure();
      node.activate();
      const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      await Promise.race([node.done, ended]);
      await node.shutdown();
    } finally {
      course.finish(node.counts);
    }
    return 0;
  },
});
