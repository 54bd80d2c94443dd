import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Logger } from '#src/platform/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { evaluate } from '#src/sessions/index.js';
import { Rig } from '#src/sessions/rig.js';

const quiet = { error() {}, warn() {}, info() {}, debug() {} } as unknown as Logger;
const common = { spec: loadRobotSpec('rover'), task: { maxSteps: 3 }, logger: () => quiet };

let unhandled: unknown[];
const hear = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => {
  unhandled = [];
  process.prependListener('unhandledRejection', hear);
});
afterEach(() => {
  process.off('unhandledRejection', hear);
});

describe('a session that is interrupted', () => {
  it('between two episodes ends as cancelled: the call that is under way then goes unanswered, and nobody minds', async () => {
    const abort = new AbortController();
    const work = evaluate({
      ...common,
      signal: abort.signal,
      candidate: { kind: 'random', seed: 1 },
      seeds: [1, 2, 3],
      onEpisode: () => abort.abort(),
    });
    await expect(work).rejects.toMatchObject({ code: 'CANCELLED' });
    await sleep(0);
    expect(unhandled).toEqual([]);
  });

  it('does not leave work behind that fails after the rig has refused to wait for it', async () => {
    const abort = new AbortController();
    const rig = await Rig.create({ ...common, signal: abort.signal });
    abort.abort();
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<never>((_, reject) => {
      fail = reject;
    });
    await expect(rig.guard(work)).rejects.toMatchObject({ code: 'CANCELLED' });
    fail(new Error('the service is gone'));
    await rig.close();
    await sleep(0);
    expect(unhandled).toEqual([]);
  });
});
