import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { interruptedWith, openRunFolder } from '#src/cli/run-folder.js';
import { cancelled, IqLearnError } from '#src/common/index.js';
import { cli, inNewFolder, interruptedCli, start } from './support.js';

let folder: ReturnType<typeof inNewFolder>;
beforeAll(() => {
  folder = inNewFolder();
});
afterAll(() => folder.leave());

describe('the folder of a run', () => {
  it('that somebody removes gets back what the run cannot go on without', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'iq-run-')), 'run');
    const run = openRunFolder(path);
    run.keep('training.json', '{}\n');
    expect(run.mend()).toBe(false);
    rmSync(path, { recursive: true });
    expect(run.mend()).toBe(true);
    expect(readFileSync(join(path, 'training.json'), 'utf8')).toBe('{}\n');
    run.close();
  });

  it('is not there for a run that ended before it had anything to go on from: the same command can be given again', () => {
    const parent = mkdtempSync(join(tmpdir(), 'iq-run-'));
    const path = join(parent, 'runs', 'one');
    for (const again of [false, true]) {
      const run = openRunFolder(path);
      run.keep('training.json', '{}\n');
      if (again) mkdirSync(join(path, 'checkpoint'));
      run.discard();
      run.close();
      expect(existsSync(join(path, 'training.json'))).toBe(again);
    }
  });

  it('of a demo that is interrupted before an episode is shown leaves nothing, and it says so', async () => {
    const stop = new AbortController();
    const poll = setInterval(() => existsSync('runs/cut/log.jsonl') && stop.abort(), 1);
    const ended = await interruptedCli(stop.signal, 'demo', '--robot', 'rover', '--name', 'cut');
    clearInterval(poll);
    expect(ended.code).toBe(130);
    expect(ended.stderr).toContain('nothing was kept: iq-learn demo --robot rover');
    expect(existsSync('runs')).toBe(false);
  });

  it('an interruption says what it left, unless it says so itself; other errors stay what they are', () => {
    const remedies = [cancelled(), new IqLearnError('CANCELLED', 'interrupted'), cancelled('interrupted', 'go on')].map(
      (error) => (interruptedWith(error, 'start again') as IqLearnError).remedy,
    );
    expect(remedies).toEqual(['start again', 'start again', 'go on']);
    const other = new IqLearnError('IO', 'a full disk');
    expect(interruptedWith(other, 'start again')).toBe(other);
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
