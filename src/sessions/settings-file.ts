import { z } from 'zod';
import { IqLearnError, messageOf, parseOrThrow } from '../common/index.js';
import { type LearnerSettings, learnerConfig, learnerSchemas } from '../learning/index.js';
import { readText } from '../platform/index.js';
import { SpecDocument } from '../robot/index.js';
import type { TrainingSettings } from '../simulation/index.js';

/** What defines the length and pace of a run, whether a settings file or the plan of a run that is resumed says it. */
export const runFields = {
  steps: z.int().min(1).max(100_000_000),
  segmentSize: z.int().min(1).max(100_000),
  // More would keep a step, and with it whoever wants to stop the run, waiting for seconds.
  updatesPerTransition: z.number().gt(0).max(100),
  randomSteps: z.int().min(0).max(100_000_000),
  stopWhenConverged: z.boolean(),
};

/** What --settings may hold; everything else stays as the robot's own. */
const fileSchema = z.strictObject({
  steps: runFields.steps.optional(),
  segmentSize: runFields.segmentSize.optional(),
  updatesPerTransition: runFields.updatesPerTransition.optional(),
  randomSteps: runFields.randomSteps.optional(),
  stopWhenConverged: runFields.stopWhenConverged.optional(),
  learner: z.record(z.string(), z.unknown()).optional(),
  cloning: z
    .strictObject({ updates: z.int().min(1).max(1_000_000).optional(), loss: z.enum(['mse', 'nll']).optional() })
    .optional(),
});

const kind = { what: 'file of settings', fields: Object.keys(fileSchema.shape).join(', ') };

/** A settings file with the lines of its fields; undefined where it says nothing. */
function read(file: string): SpecDocument | undefined {
  let text: string;
  try {
    text = readText(file);
  } catch (cause) {
    const missing = cause instanceof IqLearnError && cause.code === 'NOT_FOUND';
    throw new IqLearnError(missing ? 'NOT_FOUND' : 'INVALID_CONFIG', `cannot read the settings ${file}`, {
      found: (missing && cause.found) || messageOf(cause),
      expected: `YAML or JSON with ${kind.fields}`,
      remedy: 'check the path and its text',
      cause,
    });
  }
  return text.replace(/^\s*#.*$/gm, '').trim() === '' ? undefined : new SpecDocument(text, file, kind);
}

/** What to do about a file that is refused; the old form, settings of the learner at the top, is told the new one. */
function remedyFor(content: unknown): string {
  const known = Object.values(learnerSchemas).flatMap(({ shape }) => Object.keys(shape));
  const misplaced = Object.keys(content ?? {}).find((key) => known.includes(key) && !(key in fileSchema.shape));
  if (misplaced === undefined) return 'see README.md, Your robot';
  const fields = misplaced === 'agent' ? 'agent: iq-sac, …' : `agent: iq-sac, ${misplaced}: …`;
  return `settings of the learner go below it: learner: { ${fields} }`;
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
  const document = read(file);
  if (document === undefined) return {};
  const path = (field: string): (string | number)[] =>
    field.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  const at = (field: string): string => `${file}:${document.lineOf(path(field))} bad setting ${field}`;
  const parsed = parseOrThrow(fileSchema, document.value, { what: at, remedy: remedyFor(document.value) });
  if (parsed.learner !== undefined)
    checkLearner(parsed.learner, (field) => `${file}:${document.lineOf(path(`learner.${field}`))}`);
  return parsed;
}

/** Says the line, too, where the learner's settings are refused. */
function checkLearner(given: Readonly<Record<string, unknown>>, lineOf: (field: string) => string): void {
  try {
    learnerConfig(given);
  } catch (error) {
    if (!(error instanceof IqLearnError)) throw error;
    const { code, what, found, expected, remedy } = error;
    const field = /^bad setting (\S+)/.exec(what)?.[1] ?? /^'([^']+)'/.exec(found ?? '')?.[1] ?? '';
    throw new IqLearnError(code, `${lineOf(field)} ${what}`, {
      ...(found === undefined ? {} : { found }),
      ...(expected === undefined ? {} : { expected }),
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}

/**
 * The settings of a robot, task or command with those of a file over them: the only place where a settings file is read.
 * Throws NOT_FOUND or INVALID_CONFIG naming the field.
 */
export function withSettingsFile(settings: TrainingSettings, file: string | undefined): TrainingSettings {
  if (file === undefined) return settings;
  const { learner, cloning = {}, ...run } = parsedFile(file);
  const config = learner === undefined ? settings.config : withLearner(settings.config, learner);
  return {
    ...settings,
    ...(Object.fromEntries(
      Object.entries(run).filter(([, value]) => value !== undefined),
    ) as Partial<TrainingSettings>),
    config,
    cloning: {
      ...settings.cloning,
      ...(cloning.updates === undefined ? {} : { updates: cloning.updates }),
      ...(cloning.loss === undefined ? {} : { loss: cloning.loss }),
    },
  };
}
