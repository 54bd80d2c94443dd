import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { agentNames, createAgent, type LearnerSettings, learnerConfig, learnerSchemas } from '#src/learning/index.js';

const source = (name: string): string =>
  readFileSync(new URL(`../../src/learning/agents/${name}.ts`, import.meta.url), 'utf8');

/** The lines of an agent's update that compute something: no comments, no signature, no lines of brackets alone. */
function updateOf(name: string): string[] {
  const text = source(name);
  const body = text.slice(text.indexOf('function update('), text.indexOf('\n}\n', text.indexOf('function update(')));
  return body
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('//') && /\w/.test(line));
}

describe('the agents', () => {
  it('SAC and IQ-Learn with SAC differ in fewer than fifteen lines of their update', () => {
    const [sac, iq] = [updateOf('sac'), updateOf('iq-sac')];
    expect(sac.length).toBeGreaterThan(10);
    expect(iq.filter((line) => !sac.includes(line)).length).toBeLessThan(15);
    expect(sac.filter((line) => !iq.includes(line)).length).toBeLessThan(15);
  });

  it.each(agentNames)('%s describes every one of its settings, and has a default for it', (name) => {
    const config = learnerConfig({ agent: name } as LearnerSettings) as Readonly<Record<string, unknown>>;
    for (const [setting, schema] of Object.entries(learnerSchemas[name].shape)) {
      expect(schema.description, setting).toMatch(/^.{10,}\.$/s);
      expect(config[setting], setting).not.toBeUndefined();
    }
  });

  it.each(agentNames)('%s gives coefficients for every optimiser of its program, and for no other', (name) => {
    const agent = createAgent(learnerConfig({ agent: name } as LearnerSettings), { observation: 3, action: 2 });
    const coefficients = Object.keys(agent.program.inputs).filter((input) => input.endsWith('Adam'));
    expect(Object.keys(agent.adam).sort()).toEqual(coefficients.sort());
    for (const of of Object.values(agent.adam)) expect(of(1).step).toBeGreaterThan(0);
  });
});

describe('settings of a learner', () => {
  it('without an agent are refused with the form that they have now', () => {
    const settings: Readonly<Record<string, unknown>> = { gamma: 0.9, regMult: 1 };
    expect(() => learnerConfig(settings)).toThrow(/gamma, regMult without 'agent'.*learner: \{ agent: iq-sac, … \}/);
  });

  it('of an unknown agent, or unknown to their agent, are refused with the nearest name', () => {
    expect(() => learnerConfig({ agent: 'iq-sacc' } as never)).toThrow(/did you mean 'iq-sac'/);
    expect(() => learnerConfig({ agent: 'sac', regMult: 1 } as never)).toThrow(/unknown setting of the agent sac/);
    expect(() => learnerConfig({ agent: 'sac', gama: 1 } as never)).toThrow(/did you mean 'gamma'/);
  });

  it('name a nested field that is wrong, what was found there, and what it means', () => {
    expect(() => learnerConfig({ agent: 'iq-sac', hiddenSizes: [64, 0] })).toThrow(
      /hiddenSizes\.1.*found: 0;.*Widths of the hidden layers/,
    );
    expect(() => learnerConfig({ agent: 'iq-sac', hiddenSizes: [0] })).not.toThrow(/src\//);
  });
});
