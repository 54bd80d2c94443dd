import { parse } from 'yaml';
import { z } from 'zod';
import { IqLearnError, messageOf, parseOrThrow } from '../common/index.js';
import { type LearnerSettings, learnerConfig, learnerSchemas } from '../learning/index.js';
import { readText } from '../platform/index.js';
import type { TrainingSettings } from '../simulation/index.js';

/** What --settings may hold; everything else stays as the robot's own. */
const fileSchema = z.strictObject({
  steps: z.int().min(1).optional(),
  segmentSize: z.int().min(1).max(100_000).optional(),
  updatesPerTransition: z.number().positive().optional(),
  randomSteps: z.int().min(0).optional(),
  learner: z.record(z.string(), z.unknown()).optional(),
  cloning: z.strictObject({ updates: z.int().min(1).optional(), loss: z.enum(['mse', 'nll']).optional() }).optional(),
});

function read(file: string): unknown {
  try {
    return parse(readText(file)) ?? {};
  } catch (cause) {
    const missing = cause instanceof IqLearnError && cause.code === 'NOT_FOUND';
    throw new IqLearnError(missing ? 'NOT_FOUND' : 'INVALID_CONFIG', `cannot read the settings ${file}`, {
      found: missing ? 'no such file' : messageOf(cause),
      expected: `YAML or JSON with ${Object.keys(fileSchema.shape).join(', ')}`,
      remedy: 'check the path and its text',
      cause,
    });
  }
}

/** What to do about a file that is refused; the old form, settings of the learner at the top, is told the new one. */
function remedyFor(content: unknown): string {
  const known = Object.values(learnerSchemas).flatMap(({ shape }) => Object.keys(shape));
  const misplaced = Object.keys(content ?? {}).find((key) => known.includes(key) && !(key in fileSchema.shape));
  return misplaced === undefined
    ? 'see README.md, Your robot'
    : `settings of the learner go below it: learner: { agent: iq-sac, ${misplaced}: … }`;
}

/**
 * The robot's settings of the learner with those of a file over them; of another agent, the file's alone. Throws as
 * {@link learnerConfig} does.
 */
function withLearner(own: LearnerSettings, given: Readonly<Record<string, unknown>>): LearnerSettings {
  // Checked alone first: a file names its agent, and what it says is judged by that agent's settings.
  const { agent } = learnerConfig(given);
  const config = (agent === own.agent ? { ...own, ...given } : given) as LearnerSettings;
  learnerConfig(config);
  return config;
}

function parsedFile(file: string): z.output<typeof fileSchema> {
  const content = read(file);
  return parseOrThrow(fileSchema, content, { what: `${file}: bad setting`, remedy: remedyFor(content) });
}

/**
 * The settings of a robot, task or command with those of a file over them: the only place where a settings file is read.
 * Throws NOT_FOUND or INVALID_CONFIG naming the field.
 */
export function withSettingsFile(settings: TrainingSettings, file: string | undefined): TrainingSettings {
  if (file === undefined) return settings;
  const { learner, cloning = {}, steps, segmentSize, updatesPerTransition, randomSteps } = parsedFile(file);
  const config = learner === undefined ? settings.config : withLearner(settings.config, learner);
  return {
    ...settings,
    ...(steps === undefined ? {} : { steps }),
    ...(segmentSize === undefined ? {} : { segmentSize }),
    ...(updatesPerTransition === undefined ? {} : { updatesPerTransition }),
    ...(randomSteps === undefined ? {} : { randomSteps }),
    config,
    cloning: {
      ...settings.cloning,
      ...(cloning.updates === undefined ? {} : { updates: cloning.updates }),
      ...(cloning.loss === undefined ? {} : { loss: cloning.loss }),
    },
  };
}
