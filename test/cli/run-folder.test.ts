import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRunFolder } from '#src/cli/run-folder.js';
import { cli, inNewFolder, start } from './support.js';

let folder: ReturnType<typeof inNewFolder>;
beforeAll(() => {
  folder = inNewFolder();
});
afterAll(() => folder.leave());

describe('the folder of a run that somebody removes', () => {
  it('gets back what the run cannot go on without', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'iq-run-')), 'run');
    const run = openRunFolder(path);
    run.keep('training.json', '{}\n');
    expect(run.mend()).toBe(false);
    rmSync(path, { recursive: true });
    expect(run.mend()).toBe(true);
    expect(readFileSync(join(path, 'training.json'), 'utf8')).toBe('{}\n');
    run.close();
  });

  it('while training: it is said, and the run can be resumed', async () => {
    const args = ['train', '--task', 'cartpole', '--steps', '1500', '--out', 'run', '--headless'];
    const training = start(args, { cwd: folder.path });
    await training.seen('learning');
    rmSync('run', { recursive: true, force: true });
    const { code, stderr } = await training.ended;
    expect(stderr).toContain('run was removed while the run wrote to it');
    expect(code).toBe(0);
    expect(existsSync('run/training.json')).toBe(true);
    expect((await cli('train', '--resume', '--out', 'run')).code).toBe(0);
  });
});
