import { existsSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initLink } from '#src/hosts/plain/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { runDemonstrations } from '#src/sessions/index.js';
import { createExpert } from '#src/simulation/index.js';
import { inNewFolder, interruptedCli } from '../../cli/support.js';

const logger = { info() {}, warn() {}, error() {}, debug() {} } as never;

let folder: ReturnType<typeof inNewFolder>;
beforeAll(async () => {
  folder = inNewFolder();
  initLink({ fleet: 'fleet', robots: ['rover-1'], folder: 'link', broker: 'mqtts://localhost:1' });
  const demonstrations = { episodes: 1, seed: 1, folder: 'demos', keepFailures: true, task: { maxSteps: 40 } };
  const spec = loadRobotSpec('rover');
  await runDemonstrations({ spec, driver: createExpert('rover'), ...demonstrations, logger: () => logger });
  writeFileSync('long.yaml', 'learner: { agent: iq-sac, hiddenSizes: [64, 64], warmStartUpdates: 1000000 }\n');
});
afterAll(() => folder.leave());

describe('serve that is interrupted before it serves', () => {
  const serve = ['serve', '--robot', 'rover', '--recording', 'demos', '--link', 'link/learner.yaml'];
  const given = [...serve, '--settings', 'long.yaml', '--health', 'off', '--run', 'deep/down'];

  it.each([
    ['before the demonstrations are read', AbortSignal.abort()],
    ['while the first policy is cloned', AbortSignal.timeout(4000)],
  ])('%s: it ends, leaves nothing, and says how to begin again', async (_, signal) => {
    const { code, stderr } = await interruptedCli(signal, ...given);
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /error: interrupted; to do: nothing new was learned: .*serve --robot rover --recording demos/,
    );
    expect(existsSync('deep')).toBe(false);
  });
});
