import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { IqLearnError, messageOf, parseOrThrow, unknownName } from '../common/index.js';
import { learnerConfig, learnerConfigSchema } from '../learning/index.js';
import type { TrainingSettings } from './presets.js';

/** What --settings may hold; everything else stays as the robot's own. */
const fileSchema = z.strictObject({
  steps: z.int().min(1).optional(),
  segmentSize: z.int().min(1).max(100_000).optional(),
  updatesPerTransition: z.number().positive().optional(),
  learner: z.record(z.string(), z.unknown()).optional(),
  cloning: z.strictObject({ updates: z.int().min(1).optional(), loss: z.enum(['mse', 'nll']).optional() }).optional(),
});

function read(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8')) ?? {};
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new IqLearnError(missing ? 'NOT_FOUND' : 'INVALID_CONFIG', `cannot read the settings ${file}`, {
      found: missing ? 'no such file' : messageOf(cause),
      expected: `YAML or JSON with ${Object.keys(fileSchema.shape).join(', ')}`,
      remedy: 'check the path and its text',
      cause,
    });
  }
}

/** The robot's settings with those of a file over them. Throws NOT_FOUND or INVALID_CONFIG naming the field. */
export function withSettingsFile(settings: TrainingSettings, file: string | undefined): TrainingSettings {
  if (file === undefined) return settings;
  const content = read(file);
  const parsed = parseOrThrow(fileSchema, content, {
    what: `${file}: bad setting`,
    remedy: 'see README.md, Your robot',
  });
  const { learner = {}, cloning = {}, steps, segmentSize, updatesPerTransition } = parsed;
  const known = Object.keys(learnerConfigSchema.shape);
  for (const name of Object.keys(learner))
    if (!known.includes(name)) throw unknownName(`setting of the learner in ${file}`, name, known);
  const config = { ...settings.config, ...learner };
  learnerConfig(config);
  return {
    ...settings,
    ...(steps === undefined ? {} : { steps }),
    ...(segmentSize === undefined ? {} : { segmentSize }),
    ...(updatesPerTransition === undefined ? {} : { updatesPerTransition }),
    config,
    cloning: {
      ...settings.cloning,
      ...(cloning.updates === undefined ? {} : { updates: cloning.updates }),
      ...(cloning.loss === undefined ? {} : { loss: cloning.loss }),
    },
  };
}
