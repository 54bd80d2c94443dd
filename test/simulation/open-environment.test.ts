import { describe, expect, it } from 'vitest';
import { vectorObservation } from '#src/common/index.js';
import { openEnvironment } from '#src/simulation/index.js';

describe('environments by name', () => {
  it('are tasks of the package, opened and closed', async () => {
    const environment = await openEnvironment('cartpole', { maxSteps: 3 });
    expect(environment).toMatchObject({ observation: vectorObservation(4), discrete: true });
    await environment.reset(0);
    for (const truncated of [false, false, true]) expect(await environment.step([1, 0])).toMatchObject({ truncated });
    await environment.close();
  });

  it('are refused with the nearest name, or with what a gymnasium name looks like', async () => {
    await expect(openEnvironment('cartpol')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      remedy: "did you mean 'cartpole'?",
    });
    await expect(openEnvironment('gym:')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
