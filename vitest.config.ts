import { defineConfig } from 'vitest/config';
import { sourceRos } from './test/support/ros-environment.js';

sourceRos();

// Tests import the compiled output (`#src/*` → dist/src): what is tested is what users run, workers included.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Limits are for what hangs: a machine may be many times slower than another, and no test is about that.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    setupFiles: ['test/support/without-preload.ts'],
    pool: 'forks',
    maxWorkers: 2,
    reporters: process.env.CI ? ['default', ['json', { outputFile: 'coverage/vitest.json' }]] : ['default'],
  },
});
