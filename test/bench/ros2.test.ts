import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { describeWithRos } from '../support/ros.js';

const RUN = fileURLToPath(new URL('../../dist/bench/run.js', import.meta.url));

describeWithRos('the bench ros2', () => {
  it('times the policy executable’s answers over DDS', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'iq-learn-bench-test-'));
    const json = join(folder, 'ros2.json');
    try {
      const short = ['--no-peers', '--rates', '20', '--loads', 'idle', '--seconds', '2', '--warm', '0.5'];
      await promisify(execFile)(process.execPath, [RUN, 'ros2', ...short, '--echo-seconds', '1', '--json', json]);
      const { figures } = JSON.parse(readFileSync(json, 'utf8')) as { figures: { name: string; value: number }[] };
      const value = (name: string): number => figures.find((each) => each.name === `20 Hz, idle: ${name}`)!.value;
      // An answer is the action that the policy gives in process for the same state; a busy machine is late at times.
      expect(value('ours: answered')).toBeGreaterThan(0.1);
      expect(value('ours: median')).toBeGreaterThan(0);
      expect(value('ours: max')).toBeGreaterThanOrEqual(value('ours: p99'));
      expect(value('echo: answered')).toBeGreaterThan(0.1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
