import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../cmake/node.cmake', import.meta.url));
const cmake = spawnSync('cmake', ['--version']).status === 0;

// In CI nothing is skipped: it installs cmake.
describe.skipIf(!cmake && !process.env.CI)('the Node of a colcon build', () => {
  it.each([
    ['v18.19.1', /Node is too old: 18.19.1[\s\S]*20.19\s+or\s+later/s],
    ['v22.11.0', undefined],
  ])('%s', (version, refusal) => {
    const folder = mkdtempSync(join(tmpdir(), 'iq-node-'));
    writeFileSync(join(folder, 'node'), `#!/bin/sh\necho ${version}\n`);
    chmodSync(join(folder, 'node'), 0o755);
    const PATH = `${folder}:${process.env.PATH}`;
    const { status, stderr } = spawnSync('cmake', ['-P', script], { encoding: 'utf8', env: { ...process.env, PATH } });
    rmSync(folder, { recursive: true });
    if (refusal === undefined) expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    else {
      expect(status).not.toBe(0);
      expect(stderr).toMatch(refusal);
    }
  });
});
