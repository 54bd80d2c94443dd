import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeBundle } from '#src/policy/index.js';
import { Trials, type TrialsOptions } from '#src/sessions/index.js';
import { EmbeddedBroker } from '#src/transport/index.js';
import { spec, trolleyBundle } from '../nodes/toy.js';

let folder: string;
let broker: EmbeddedBroker;
let loaded: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'iq-trials-'));
  for (const [i, name] of ['a', 'b'].entries())
    writeBundle(join(folder, name, 'policy'), await trolleyBundle(i + 1, i === 0 ? -4 : 4));
  broker = new EmbeddedBroker();
  loaded = [];
  broker.connect().serve('/policy/load_policy', 'iq_learn/srv/LoadPolicy', async ({ path }) => {
    loaded.push(path);
    return { success: true, message: '', policy_version: 1n };
  });
});
afterEach(async () => {
  await broker.close();
  rmSync(folder, { recursive: true });
});

const options = (more: Partial<TrialsOptions> = {}): TrialsOptions => ({
  spec,
  policies: [join(folder, 'a/policy'), join(folder, 'b/policy')],
  trials: 3,
  seed: 1,
  blind: false,
  folder: join(folder, 'out'),
  ...more,
});
const episode = (verdict: 'success' | 'failure' | 'unknown') => ({
  number: 1,
  verdict,
  terminated: false,
  seconds: 2,
  reason: 'said',
});

describe('trials of policies on a robot', () => {
  it('give the policy node the policy whose turn it is, keep every result, and go on where they were left', async () => {
    const first = await Trials.open(options());
    expect(first.wanted).toBe(6);
    const { begin, ended, discarded } = first.hooks(broker.connect(), () => new Date(0));
    expect(await begin!()).toMatch(/^trial 1 of 6, policy [ab]$/);
    ended!(episode('success'), 0);
    await begin!();
    ended!(episode('failure'), 2);
    discarded!(2, false); // the person takes the second back
    await begin!();
    discarded!(3, true); // and throws the next away while it runs
    await begin!();
    ended!(episode('unknown'), 0);
    expect(loaded.slice(1)).toEqual([loaded[1], loaded[1], loaded[1]]);

    const again = await Trials.open(options());
    expect(again.counts).toEqual({ success: 1, failure: 0, unknown: 1, discarded: 0 });
    loaded.length = 0;
    const hooks = again.hooks(broker.connect(), () => new Date(0));
    for (let i = 0; i < 4; i++) {
      await hooks.begin!();
      hooks.ended!(episode('success'), 0);
    }
    const { results } = JSON.parse(readFileSync(join(folder, 'out/trials.json'), 'utf8'));
    expect(results.map(({ trial }: { trial: number }) => trial)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const name of ['a', 'b'])
      expect(results.filter(({ policy }: { policy: string }) => policy === name)).toHaveLength(3);
    expect(again.table).toMatch(/of 3/);
    expect(readFileSync(again.report(new Date(0)), 'utf8')).toContain('6 of 6 trials');
  });

  it('say nothing of the policy where the person is not to know it', async () => {
    const trials = await Trials.open(options({ blind: true }));
    expect(await trials.hooks(broker.connect()).begin!()).toBe('trial 1 of 6');
  });

  it('refuse another evaluation’s folder, one that cannot be read, and a policy of another robot', async () => {
    const trials = await Trials.open(options());
    trials.hooks(broker.connect()).ended!(episode('success'), 0);
    await expect(Trials.open(options({ trials: 4 }))).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(Trials.open(options({ seed: 2 }))).rejects.toMatchObject({ code: 'CONFLICT' });
    writeFileSync(join(folder, 'out/trials.json'), '{"format": "iq_learn tri');
    await expect(Trials.open(options())).rejects.toMatchObject({ code: 'CORRUPT_DATA' });
    writeFileSync(join(folder, 'out/trials.json'), '{"format": "iq_learn trials 1"}');
    await expect(Trials.open(options())).rejects.toThrow(/cannot be read/);
    const other = { ...spec, robot: 'other' };
    await expect(Trials.open(options({ spec: other }))).rejects.toMatchObject({ code: 'MISMATCH' });
  });
});
