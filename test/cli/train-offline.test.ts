import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readBundle } from '#src/policy/index.js';
import { cli, inNewFolder, tree } from './support.js';

let folder: ReturnType<typeof inNewFolder>;
beforeAll(async () => {
  folder = inNewFolder();
  const recorded = await cli('record', '--robot', 'rover', '--episodes', '2', '--out', 'shown', '--quiet');
  expect(recorded.code, recorded.stderr).toBe(0);
}, 120_000);
afterAll(() => folder.leave());

it('train --offline makes a policy that deploys from a recording alone, and says what it cannot promise', async () => {
  const { code, stdout, stderr } = await cli(
    ...['train', '--offline', '--recording', 'shown', '--robot', 'rover'],
    ...['--steps', '60', '--out', 'offline', '--quiet', '--device', 'cpu'],
  );
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/IQ-Learn: error [\d.]+ % of an action's range on \d+ held-out steps/);
  expect(stdout).toMatch(/behavioural cloning: error/);
  expect(stdout).toContain('It has never driven');
  const policy = await readBundle('offline/policy');
  expect(policy.training).toMatchObject({ offline: true, demonstrations: 2 });
  await policy.dispose();
  const report = readFileSync('offline/learning.html', 'utf8');
  expect(report).toContain('It has never driven');
  expect(report).toContain('takeover');
  const evaluated = await cli(
    'evaluate',
    '--policy',
    'offline/policy',
    '--robot',
    'rover',
    '--episodes',
    '1',
    '--quiet',
  );
  expect(evaluated.code, evaluated.stderr).toBe(0);
}, 240_000);

it('train --offline refuses what it cannot do, and leaves nothing behind', async () => {
  const before = tree('.');
  for (const [args, said] of [
    [['--offline', '--resume', '--out', 'x'], '--offline does not go together with --resume'],
    [['--offline', '--robot', 'rover'], '--recording'],
    [['--offline', '--recording', 'shown'], '--robot'],
  ] as const) {
    const { code, stderr } = await cli('train', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  }
  expect(tree('.')).toEqual(before);
});

it('train --states-only learns with actions that it infers, and refuses an agent that needs them', async () => {
  const trained = await cli(
    ...['train', '--states-only', '--recording', 'shown', '--robot', 'rover', '--settings', 'quick.yaml'],
    ...['--steps', '200', '--out', 'states', '--quiet', '--device', 'cpu'],
  );
  expect(trained.code, trained.stderr).toBe(0);
  const plan = JSON.parse(readFileSync('states/training.json', 'utf8')) as { config: Record<string, unknown> };
  expect(plan.config).toMatchObject({ expertActions: 'inverse-dynamics', warmStartUpdates: 0 });
  expect(existsSync('states/policy/policy.onnx')).toBe(true);
  const refused = await cli(
    ...['train', '--states-only', 'both', '--recording', 'shown', '--robot', 'rover', '--out', 'none'],
  );
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("'both'");
}, 240_000);
