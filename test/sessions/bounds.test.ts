import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import { agentNames, learnerSchemas } from '#src/learning/index.js';
import { loadRobotSpec, parseRobotSpec } from '#src/robot/index.js';
import { expertDriver, trainingSettings, withSettingsFile } from '#src/sessions/index.js';
import { toyText } from '../demonstrations/toy.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-bounds-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const own = trainingSettings('rover');

/** What a settings file is refused with; undefined where it is taken. */
function refusal(text: string | Uint8Array): IqLearnError | undefined {
  const file = join(folder, 'settings.yaml');
  writeFileSync(file, text);
  try {
    withSettingsFile(own, file);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(IqLearnError);
    return error as IqLearnError;
  }
}

describe('a settings file', () => {
  it.each([
    ['steps: 0', 'settings.yaml:1 bad setting steps', '0', 'a whole number, at least 1 and at most 100000000'],
    ['steps: .nan', 'settings.yaml:1 bad setting steps', 'NaN', 'a whole number, at least 1 and at most 100000000'],
    [
      'segmentSize: 100\nsteps: 0.5',
      'settings.yaml:2 bad setting steps',
      '0.5',
      'a whole number, at least 1 and at most 100000000',
    ],
    [
      '\nupdatesPerTransition: 1e9',
      'settings.yaml:2 bad setting updatesPerTransition',
      '1000000000',
      'a number, more than 0 and at most 100',
    ],
    ['steps: many', 'settings.yaml:1 bad setting steps', '"many"', 'a whole number, at least 1 and at most 100000000'],
    [
      'steps: 5\nlearner:\n  agent: iq-sac\n  gamma: 2',
      'settings.yaml:4 bad setting gamma of the agent iq-sac',
      '2',
      'a number, more than 0 and less than 1',
    ],
  ])('is refused with its line, the value and what was expected: %j', (text, what, found, expected) => {
    const error = refusal(text);
    expect(error).toMatchObject({ found, expected });
    expect(error!.what.endsWith(what)).toBe(true);
  });

  it.each([
    ['- 1', /is no file of settings/],
    ['steps: 5\n---\nsteps: 6', /second document/],
    [Buffer.from('steps: 5', 'utf16le'), /no UTF-8 text|is no file/],
    ['[['.repeat(5000), /brackets/],
    ['steps: 5\nsteps: 6', /a second time/],
  ])('in our own words where it is none', (text, words) => {
    expect(refusal(text)?.message).toMatch(words);
  });

  it('may say nothing', () => {
    expect(refusal('')).toBeUndefined();
    expect(refusal('# steps: 5\n')).toBeUndefined();
  });
});

describe('the settings of every agent', () => {
  const numbers = agentNames.flatMap((agent) =>
    Object.entries(learnerSchemas[agent].shape)
      .filter(([, schema]) => typeof schema.safeParse(undefined).data === 'number')
      .map(([name]): [agent: string, name: string] => [agent, name]),
  );

  it.each([...new Set(numbers.map(([, name]) => name))])('%s has bounds on both sides', (name) => {
    for (const [agent] of numbers.filter((each) => each[1] === name))
      for (const value of ['1e308', '-1e308', '.inf', '.nan'])
        expect([agent, name, value, refusal(`learner: { agent: ${agent}, ${name}: ${value} }`)?.code]).toEqual([
          ...[agent, name, value],
          'INVALID_CONFIG',
        ]);
  });

  it.each([
    ['actorLearningRate', 1000],
    ['criticLearningRate', 1000],
    ['regMult', 1e9],
    ['regMult', 0],
    ['temperature', 1e6],
  ])('refuse %s: %d, which no learner survives', (name, value) => {
    expect(refusal(`learner: { agent: iq-sac, ${name}: ${value} }`)?.message).toContain(name);
  });
});

describe('a task that does not exist', () => {
  it('is an unknown task, with the list, and not a robot without an expert', async () => {
    const spec = { ...loadRobotSpec('rover'), task: 'rovr' };
    const unknown = { code: 'NOT_FOUND', what: 'unknown task', found: "'rovr'", remedy: "did you mean 'rover'?" };
    await expect(expertDriver(spec)).rejects.toMatchObject(unknown);
    expect(() => trainingSettings('rovr')).toThrow(IqLearnError);
    // A robot without a task has none to misspell.
    expect(parseRobotSpec(toyText, 'toy.yaml').task).toBeNull();
  });
});
