import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { until } from '../nodes/toy.js';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Whether a signal that was sent to a process is still waiting to be delivered. */
const hasPendingSignal = (pid: number): boolean =>
  /^(?:SigPnd|ShdPnd):\s*0*[1-9a-f]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

it('a learning process does not outlive the one that started it, even after kill -9', async () => {
  const script = fileURLToPath(new URL('learner-parent.mjs', import.meta.url));
  const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  parent.stdout.on('data', (data) => {
    said += data;
  });
  await until(() => said.endsWith('\n'), 'the learner being started');
  const pid = Number(said);
  expect(alive(pid)).toBe(true);
  parent.kill('SIGINT'); // as Ctrl-C does, to both: the learner waits for its parent's decision
  process.kill(pid, 'SIGINT');
  await until(() => !hasPendingSignal(pid), 'the signal being delivered');
  expect(alive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !alive(pid), 'the learner ending');
});
