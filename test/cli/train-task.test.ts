import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli, inNewFolder } from './support.js';

let folder: ReturnType<typeof inNewFolder>;
beforeAll(() => {
  folder = inNewFolder();
});
afterAll(() => folder.leave());

it('train --task cartpole learns from the scripted expert with soft Q-learning and says how well it balances', async () => {
  const { code, stdout } = await cli('train', '--task', 'cartpole', '--steps', '700', '--out', 'cartpole');
  expect(code).toBe(0);
  expect(Number(/return ([\d.]+) over 20 fresh starts/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(450);
}, 180_000);

it('train --task names the nearest task, and asks for demonstrations where nobody can give them', async () => {
  const unknown = await cli('train', '--task', 'cartpol');
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toContain("did you mean 'cartpole'?");
  const none = await cli('train', '--task', 'hopper', '--out', 'hopper');
  expect(none.code).not.toBe(0);
  expect(none.stderr).toContain('--demonstrations');
}, 60_000);
