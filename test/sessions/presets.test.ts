import { describe, expect, it } from 'vitest';
import { trainingSettings } from '#src/sessions/index.js';
import { onTheRobot, taskDefinitions } from '#src/simulation/index.js';
import { runPlan } from '#src/training/index.js';

describe('training settings', () => {
  it('are those that the folder of the task states', () => {
    for (const { name, preset } of taskDefinitions)
      if (preset !== undefined) expect(trainingSettings(name)).toBe(preset);
    expect(trainingSettings('rover')).toMatchObject({ steps: 20_000, learningTask: { tour: true, maxSteps: 150 } });
    expect(trainingSettings('arm').config).toMatchObject({ agent: 'iq-sac', warmStartUpdates: 5000 });
    expect(trainingSettings('hopper').config).toEqual({ agent: 'iq-sac' }); // the agent's defaults
  });

  it('let no untrained network drive a robot that has no simulated task', () => {
    expect(trainingSettings(null)).toBe(onTheRobot);
    const { randomSteps, config } = runPlan(trainingSettings(null));
    expect(randomSteps).toBe(0);
    expect(config.warmStartUpdates).toBeGreaterThan(0);
    expect(config).toMatchObject({ agent: 'iq-sac', actorDelay: 1000, valueTerm: 'value_policy' });
  });

  it('do not exist for a task that does not exist: a misspelt task is not trained with settings of another', () => {
    expect(() => trainingSettings('hoper')).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', found: "'hoper'", remedy: "did you mean 'hopper'?" }),
    );
  });
});
