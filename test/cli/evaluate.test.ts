import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vectorObservation } from '#src/common/index.js';
import { identityNormalisation, Learner, learnerConfig } from '#src/learning/index.js';
import { encodeBundle, writeBundle } from '#src/policy/index.js';
import { contractOf, loadRobotSpec } from '#src/robot/index.js';
import { cli, inNewFolder, interruptedCli } from './support.js';

let folder: ReturnType<typeof inNewFolder>;

/** The folder of a policy for the rover that has learned nothing, as an algorithm of this name would have written it. */
async function bundleBy(algorithm: string): Promise<string> {
  const spec = loadRobotSpec('rover');
  const learner = await Learner.create({
    config: learnerConfig({ agent: 'sac', hiddenSizes: [8, 8], bufferSize: 1000 }),
    observation: vectorObservation(spec.observation.length),
    actionSize: spec.action.length,
    normalisation: identityNormalisation(spec.observation.length),
    seed: 0,
  });
  const policy = learner.policyFunction();
  writeBundle(
    algorithm,
    await encodeBundle({ policy, contract: contractOf(spec), version: 1, training: { algorithm } }),
  );
  await learner.dispose();
  return algorithm;
}

beforeAll(() => {
  folder = inNewFolder();
});
afterAll(() => folder.leave());

describe('evaluate', () => {
  it.each([
    ['SAC', 'sac'],
    ['made-up-agent', 'made-up-agent'],
  ])('says that %s made a policy whose bundle says so', async (label, algorithm) => {
    const ended = await cli('evaluate', '--policy', await bundleBy(algorithm), '--robot', 'rover', '--episodes', '1');
    expect(ended).toMatchObject({ code: 0 });
    const names = ['SAC', 'IQ-Learn', 'Behavioural cloning', 'made-up-agent'].filter((name) =>
      ended.stdout.includes(name),
    );
    expect(names).toEqual([label]);
  });

  it.each([
    ['one policy', [], /without --out nothing is kept/],
    ['several', ['--out', 'deep/down'], /nothing was kept: .*evaluate .*--out deep\/down/],
  ])(
    'interrupted before an episode of %s is over, it says what is kept, and leaves no folder',
    async (_, more, said) => {
      const given = ['evaluate', '--policy', await bundleBy('sac'), '--robot', 'rover', '--json', 'figures/all.json'];
      const { code, stderr } = await interruptedCli(AbortSignal.abort(), ...given, ...more);
      expect(code).toBe(130);
      expect(stderr).toMatch(said);
      expect(['deep', 'figures'].filter((name) => existsSync(name))).toEqual([]);
    },
  );

  it('compares several policies from the same starts, in an order drawn at random, and goes on where it was left', async () => {
    const policies = [await bundleBy('one/policy'), await bundleBy('two/policy')];
    const args = ['evaluate', '--policy', ...policies, '--robot', 'rover', '--episodes', '2', '--out', 'out'];
    const ended = await cli(...args, '--json', 'figures.json');
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(
      /^policy +success +95 % interval .*\none .* 2\ntwo .* 2\n\nreport: out\/report\.html\n$/,
    );
    expect(ended.stderr).toMatch(/trial 4 of 4, policy (one|two): failure/);
    expect(readFileSync('out/report.html', 'utf8')).toContain('4 of 4 trials');
    const data = JSON.parse(readFileSync('out/trials.json', 'utf8'));
    const starts = (policy: string) =>
      data.results
        .filter((result: { policy: string }) => result.policy === policy)
        .map((result: { episode: { seed: number } }) => result.episode.seed);
    expect(starts('one')).toEqual(starts('two'));
    expect(new Set(starts('one')).size).toBe(2);
    const { figures } = JSON.parse(readFileSync('figures.json', 'utf8'));
    expect(figures.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['one/success', 'two/return']),
    );

    // As after Ctrl-C in the third trial: it and the fourth are done again, and come out the same.
    writeFileSync('out/trials.json', JSON.stringify({ ...data, results: data.results.slice(0, 2) }));
    const again = await cli(...args, '--blind');
    expect(again).toMatchObject({ code: 0, stdout: ended.stdout });
    expect(again.stderr).toContain('going on after 2 of 4 trials');
    expect(again.stderr).not.toMatch(/one|two/);
    const { results } = JSON.parse(readFileSync('out/trials.json', 'utf8'));
    const undated = (each: readonly { date: string }[]) => each.map(({ date: _, ...result }) => result);
    expect(undated(results)).toEqual(undated(data.results));

    const other = await cli(...args, '--seed', '1');
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/^error: another evaluation is in .*; to do: [^\n]+\n$/);
  });

  it('refuses the same policy twice, and one that is none, and leaves no folder', async () => {
    const policy = await bundleBy('once/policy');
    const twice = await cli('evaluate', '--robot', 'rover', '--policy', policy, policy, '--out', 'nowhere');
    expect(twice).toMatchObject({ code: 2, stdout: '' });
    expect(twice.stderr).toMatch(/^error: a policy is given twice.*; to do: [^\n]+\n$/);
    const none = await cli('evaluate', '--robot', 'rover', '--policy', policy, 'none', '--out', 'nowhere');
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(existsSync('nowhere')).toBe(false);
    mkdirSync('figures');
    const figures = await cli('evaluate', '--robot', 'rover', '--policy', policy, '--json', 'figures');
    expect(figures).toMatchObject({ code: 1, stdout: '' });
    expect(figures.stderr).toMatch(/^error: cannot write figures; found: a folder; expected: .*; to do: [^\n]+\n$/);
  });
});
