import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'iq-examples-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a script prints. Fails with its errors where it does not end well. */
async function run(script: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [join(root, script), ...args], { cwd: folder });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (output.stdout += data));
  child.stderr.on('data', (data) => (output.stderr += data));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code, output.stderr).toBe(0);
  return output.stdout;
}
const example = (name: string, ...args: string[]): Promise<string> => run(`dist/examples/${name}.js`, ...args);

describe('the examples', () => {
  const files = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'));

  it.each(files)('%s is short and uses public names only', (file) => {
    const text = readFileSync(join(root, 'examples', file), 'utf8');
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(60);
    for (const [, from] of text.matchAll(/from '([^']+)'/g))
      expect(from).toMatch(/^(iq_learn\/|@tensorflow\/tfjs$|zod$)/);
  });

  it('are all in their README', () => {
    const readme = readFileSync(join(root, 'examples/README.md'), 'utf8');
    for (const file of files) expect(readme).toContain(file.replace('.ts', '.js'));
  });

  it('read a recording, train from it, and deploy the bundle', async () => {
    await run('dist/src/cli/main.js', 'record', '--robot', 'rover', '--episodes', '1', '--out', 'recording');
    const read = await example('read-recording', 'recording');
    expect(read).toMatch(/\/odom: \d+ of nav_msgs\/msg\/Odometry/);
    expect(read).toMatch(/episode 0: \d+ steps/);
    const trained = await example('train-from-recording', 'recording', 'bundle', '160');
    expect(trained).toContain('written to bundle');
    expect(await example('deploy-bundle', 'bundle')).toMatch(/(arrived|out of time) after \d+ steps/);
  });

  it('imitate in an environment of their own', async () => {
    const mean = Number(/starts: (-?[\d.]+)/.exec(await example('own-environment'))?.[1]);
    // Standing still has about -62, the controller itself about -5.
    expect(mean).toBeGreaterThan(-15);
  });

  it('learn with an agent of their own', async () => {
    const errors = [...(await example('own-agent')).matchAll(/absolute_error': ([\d.]+)/g)].map(([, x]) => Number(x));
    expect(errors).toHaveLength(5);
    expect(errors.at(-1)).toBeLessThan(0.1 * errors[0]!);
  });
});
