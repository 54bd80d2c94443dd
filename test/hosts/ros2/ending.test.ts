import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('ending.mjs', import.meta.url));

/** Starts a process, sends it signals once it is ready (and again after its first word), and tells how it ended. */
async function end(how: string, ...signals: NodeJS.Signals[]) {
  const child = spawn(process.execPath, [script, how], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    const signal = signals.shift();
    if (signal !== undefined) {
      from = performance.now();
      child.kill(signal);
    }
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, lines: output.trim().split('\n'), seconds: (performance.now() - from) / 1000 };
}

describe('how a process ends', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s: the robot is stopped, files are closed, exit 0',
    async (signal) => {
      const { code, lines } = await end('quick', signal);
      expect(lines).toEqual(['ready', 'the robot is stopped', 'files are closed']);
      expect(code).toBe(0);
    },
  );

  it('a second signal ends it at once, the robot being stopped already', async () => {
    const { code, lines } = await end('hanging', 'SIGTERM', 'SIGINT');
    expect(lines).toEqual(['ready', 'the robot is stopped']);
    expect(code).toBe(130);
  });

  it('what does not close is given up before launch would kill it', async () => {
    const { code, lines, seconds } = await end('hanging', 'SIGINT');
    expect(lines).toEqual(['ready', 'the robot is stopped']);
    expect(code).toBe(1);
    expect(seconds).toBeGreaterThan(4);
  });

  it('what nobody catches stops the robot, too, and is no success', async () => {
    const { code, lines } = await end('failing');
    expect(lines).toEqual(['ready', 'the robot is stopped', 'files are closed']);
    expect(code).toBe(1);
  });
});
