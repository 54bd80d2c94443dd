import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expertPlan } from '#src/cli/expert-plan.js';
import { freshPlan } from '#src/cli/train.js';
import { planOf } from '../../bench/learn/index.js';

const bench = { task: 'hopper', steps: 100_000, updates: 1, 'random-steps': 2000 };
let folder: string;
let settings: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-run-settings-'));
  settings = join(folder, 'settings.yaml');
  writeFileSync(
    settings,
    'steps: 700\nrandomSteps: 300\nupdatesPerTransition: 0.5\nstopWhenConverged: false\nlearner: { agent: iq-sac, gamma: 0.9, warmStartUpdates: 3 }\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const trainPlan = (file?: string) => {
  const options = { recording: ['unread'], robot: 'hopper', ...(file === undefined ? {} : { settings: file }) };
  const { steps, updatesPerTransition, randomSteps, stopWhenConverged, config } = freshPlan(options);
  return { steps, updatesPerTransition, randomSteps, stopWhenConverged, config };
};

describe('a settings file', () => {
  it('is the same run for train (and demo), bench learn and expert: steps, random steps, updates and learner', () => {
    const plan = trainPlan(settings);
    expect(plan).toMatchObject({ steps: 700, randomSteps: 300, updatesPerTransition: 0.5, stopWhenConverged: false });
    expect(plan.config).toMatchObject({ gamma: 0.9, warmStartUpdates: 3, decayUpdates: 350 });
    expect(planOf({ ...bench, settings }, ['--settings', settings])).toEqual(plan);
    const { config, ...course } = expertPlan({ settings }, false);
    const { bufferSize, ...expert } = config;
    const { bufferSize: own, ...learner } = plan.config;
    expect({ ...course, config: expert }).toEqual({ ...plan, config: learner });
  });

  it('gives way to what the command line says', () => {
    expect(planOf({ ...bench, settings, steps: 40 }, ['--steps=40', '--settings', settings])).toMatchObject({
      steps: 40,
      randomSteps: 40, // never more than steps
      updatesPerTransition: 0.5,
    });
    expect(expertPlan({ settings, steps: 400 }, false)).toMatchObject({ steps: 400, randomSteps: 300 });
  });

  it.each([
    ['gamma: 0.9', 'learner: { agent: iq-sac, gamma: … }'],
    ['agent: iq-sac', 'learner: { agent: iq-sac, … }'],
  ])('with %s at its top is told where settings of the learner go', (text, remedy) => {
    const file = join(folder, 'old.yaml');
    writeFileSync(file, `${text}\n`);
    expect(() => trainPlan(file)).toThrow(remedy);
  });

  it('may be left out: then each command has the defaults that it documents', () => {
    expect(trainPlan()).toMatchObject({ steps: 60_000, randomSteps: 0, stopWhenConverged: true });
    expect(planOf({ ...bench, settings: null }, [])).toMatchObject({ steps: 100_000, randomSteps: 2000 });
    const { config, ...expert } = expertPlan({}, false);
    expect(expert).toEqual({ steps: 200_000, randomSteps: 5000, updatesPerTransition: 1, stopWhenConverged: true });
    expect(config).toMatchObject({ agent: 'sac', critics: 2, bufferSize: 200_000, decayUpdates: 200_000 });
    expect(expertPlan({ steps: 100 }, true).randomSteps).toBe(25);
  });
});
