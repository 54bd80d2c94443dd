import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { IqLearnError } from '../../../common/index.js';
import type { DemonstrationEpisode } from '../../../demonstrations/index.js';
import { chooseDevice, devices } from '../../../engine/index.js';
import { learnerConfig, learnerSchemas } from '../../../learning/index.js';
import { LearnerNode, learnerSchema } from '../../../nodes/index.js';
import {
  defaultMetricsSinks,
  type Logger,
  lockFolder,
  MetricsLog,
  type MetricsSinkName,
  parseMetricsSinks,
  RunMetrics,
} from '../../../platform/index.js';
import { contractOf, type RobotSpec } from '../../../robot/index.js';
import { learningEpisode, trainingSettings, usableDemonstrations } from '../../../sessions/index.js';
import { checkpointSegments, type LearningOptions, runPlan, TrainingProcess } from '../../../training/index.js';
import { DeployedPolicy } from '../deployed-policy.js';
import { managed } from '../executable.js';

/** Folder of checkpoints in that of a run. */
const CHECKPOINT = 'checkpoint';

/**
 * The learner's settings with the robot's own as defaults; the agent is the one of the robot's own settings.
 * targetEntropy is left out: a ROS 2 parameter cannot be null. Its default, −dim(A), applies.
 */
function settingsSchema(spec: RobotSpec) {
  const own = trainingSettings(spec.task);
  const config: Readonly<Record<string, unknown>> = runPlan(own).config;
  const { agent } = own.config;
  const settings: Record<string, z.ZodType> = {};
  for (const [name, schema] of Object.entries(learnerSchemas[agent].shape))
    if (schema instanceof z.ZodDefault && name !== 'targetEntropy')
      settings[name] = (schema as z.ZodDefault<z.ZodType>)
        .unwrap()
        .default(config[name])
        .describe(schema.description ?? '');
  return z.strictObject({ agent: z.enum([agent]).default(agent).describe('The learning algorithm.'), ...settings });
}

function schema(spec: RobotSpec) {
  const { segmentSize, updatesPerTransition, randomSteps = 0 } = trainingSettings(spec.task);
  const { segmentSize: size, ...node } = learnerSchema.shape;
  return z.strictObject({
    recording: z
      .array(z.string())
      .default([])
      .describe('Recordings of demonstrations: folders of ours or of ros2 bag record, .mcap files, folders of these.'),
    run: z
      .string()
      .min(1)
      .default(`runs/${spec.robot}`)
      .describe('Folder of this run: checkpoint/, and policy/, the policy nearest to the demonstrations so far.'),
    resume: z.boolean().default(true).describe('Goes on from the newest checkpoint of the run, where there is one.'),
    device: z
      .enum(devices)
      .default('auto')
      .describe('What learning runs on. auto: the best available; another is refused where it cannot be used.'),
    threads: z.int().min(1).max(256).default(1).describe('Threads of the learning process on the CPU.'),
    nice: z
      .int()
      .min(0)
      .max(19)
      .default(10)
      .describe('How far the learning process steps back for control on the same machine, see nice(1).'),
    seed: z.int().min(0).max(0xffffffff).default(0).describe('Of the networks and batches.'),
    ...node,
    segmentSize: size
      .unwrap()
      .default(segmentSize)
      .describe(size.description ?? ''),
    updatesPerTransition: z
      .number()
      .positive()
      .max(100)
      .default(updatesPerTransition)
      .describe('Updates for each transition of the policy; fractions add up.'),
    randomSteps: z
      .int()
      .min(0)
      .default(randomSteps)
      .describe('First transitions, which pay for no update: the policy node, told the same number, acts at random.'),
    checkpointEvery: z
      .int()
      .min(1)
      .default(checkpointSegments(segmentSize))
      .describe('Segments between two checkpoints.'),
    log: z
      .string()
      .default(defaultMetricsSinks.join(','))
      .describe('Where metrics go in the folder of the run: csv, jsonl, tensorboard, terminal, or none.'),
    learner: settingsSchema(spec),
  });
}

/** Goes on from a checkpoint where there is one and that is wanted, else begins with the demonstrations. */
async function startLearning(
  options: Omit<LearningOptions, 'demonstrations'>,
  resume: boolean,
  demonstrations: () => Promise<LearningOptions['demonstrations']>,
): Promise<{ client: TrainingProcess; resumed: boolean }> {
  if (resume)
    try {
      return { client: await TrainingProcess.create({ ...options, demonstrations: [], resume }), resumed: true };
    } catch (error) {
      if (!(error instanceof IqLearnError && error.code === 'NOT_FOUND')) throw error;
    }
  return {
    client: await TrainingProcess.create({ ...options, demonstrations: await demonstrations() }),
    resumed: false,
  };
}

function nothingToLearnFrom(run: string): IqLearnError {
  return new IqLearnError('INVALID_ARGUMENT', 'there is nothing to learn from', {
    found: `no recording, and no checkpoint in ${run}`,
    expected: 'the parameter recording',
    remedy: '-p recording:="[\'recordings/…\']"',
  });
}

/** Logs every segment that was learned from, `from` transitions on; seconds are those of this process. */
function logMetrics(
  node: LearnerNode,
  folder: string,
  sinks: readonly MetricsSinkName[],
  from: number,
  logger: Logger,
): { readonly log: MetricsLog; readonly rows: RunMetrics } {
  const onProblem = (problem: IqLearnError): void => void logger.warn(problem.message);
  // The row of the checkpoint itself is logged again.
  const log = new MetricsLog({ folder, sinks, cutFrom: from, onProblem });
  const rows = new RunMetrics(log, { steps: from, seconds: 0 });
  const startedMs = performance.now();
  node.onRollout((episode) => rows.episode(episode));
  node.onProgress(({ transitions, updates, metrics }) =>
    rows.learned({ steps: transitions, updates, seconds: (performance.now() - startedMs) / 1000, train: metrics }),
  );
  return { log, rows };
}

export const learner = managed({
  name: 'learner',
  summary: 'learns from a recording and the transitions of the policy, and publishes policies',
  autostart: true,
  schema,
  async prepare({ context, parameters }) {
    const { spec, logger } = context;
    const {
      recording,
      run,
      resume,
      device,
      threads,
      nice,
      seed,
      checkpointEvery,
      updatesPerTransition,
      randomSteps,
      ...rest
    } = parameters;
    const { learner: config, log, ...nodeParameters } = rest;
    const sinks = parseMetricsSinks(log);
    // Before the run's folder is made.
    if (recording.length === 0 && !(resume && existsSync(join(run, CHECKPOINT)))) throw nothingToLearnFrom(run);
    const choice = await chooseDevice(device);
    logger.info(choice.why);
    const lock = lockFolder(run);
    try {
      const options = {
        config: learnerConfig(config),
        contract: contractOf(spec),
        seed,
        updatesPerTransition,
        randomSteps,
        checkpoint: { folder: join(run, CHECKPOINT), everySegments: checkpointEvery },
        candidateSegments: checkpointEvery,
        device: choice.device,
        threads,
        nice,
        summary: { robot: spec.robot },
      };
      let shown: Promise<DemonstrationEpisode[]> | undefined;
      const demonstrations = (): Promise<DemonstrationEpisode[]> => {
        shown ??= usableDemonstrations(spec, recording, (text) => logger.warn(text));
        return shown;
      };
      const { client, resumed } = await startLearning(options, resume, async () => {
        if (recording.length === 0) throw nothingToLearnFrom(run);
        const episodes = await demonstrations();
        logger.info(`learning from ${episodes.length} demonstrations`);
        return episodes.map((episode) => learningEpisode(episode, spec));
      });
      if (resumed) logger.info(`going on from ${client.start.transitions} transitions`, { run });
      const node = new LearnerNode(context, client, nodeParameters);
      const metrics = logMetrics(node, run, sinks, resumed ? client.start.transitions : 0, logger);
      const policies = await DeployedPolicy.follow(node, {
        ...{ spec, config: options.config, run, logger, rows: metrics.rows },
        demonstrations: recording.length > 0 ? demonstrations : undefined,
      });
      return {
        node,
        release() {
          try {
            const { deployed, progress } = node;
            if (deployed !== undefined && progress.version > client.start.version)
              policies.keep(progress.version, deployed);
          } finally {
            metrics.log.close();
            lock.release();
          }
        },
      };
    } catch (error) {
      lock.release();
      throw error;
    }
  },
});
