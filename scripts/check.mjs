#!/usr/bin/env node
// npm run check: lint, types, build and tests in one command, with a summary. What failed is shown in full.
//
//   npm run check                 every test that needs no ROS 2
//   npm run check -- --quick      lint, types and build only
//   npm run check -- --all        every test; those that need ROS 2 or Python are skipped where there is none
//   npm run check -- test/engine  lint, types, build, and the tests of this folder
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
/** Tests of what runs over ROS 2, on Gazebo, or in a colcon workspace. */
const WITH_ROS = ['test/ros', 'test/transport/ros2', 'test/launch', 'test/package', 'test/gazebo'];

const given = process.argv.slice(2);
if (given.includes('--help') || given.includes('-h')) {
  console.log('usage: npm run check [-- --quick | --all | TEST…]   lint, types, build and tests, with a summary');
  process.exit(0);
}
const unknown = given.find((word) => word.startsWith('-') && word !== '--quick' && word !== '--all');
if (unknown !== undefined) {
  console.error(`error: unknown option ${unknown}; expected --quick or --all; to do: see npm run check -- --help`);
  process.exit(2);
}
const chosen = given.filter((word) => !word.startsWith('-'));
const excluded = given.includes('--all') || chosen.length > 0 ? [] : WITH_ROS.map((folder) => `--exclude=${folder}/**`);

const steps = [
  ['lint', 'npm', 'run', '--silent', 'lint'],
  ['types', 'npm', 'run', '--silent', 'typecheck'],
  ['build', 'npm', 'run', '--silent', 'build'],
  ...(given.includes('--quick') ? [] : [['tests', 'npx', 'vitest', 'run', ...excluded, ...chosen]]),
];

/** Runs a command; its output is kept, and shown only where it fails. */
function run([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    child.on('error', (error) => resolve({ passed: false, output: `${error.message}\n` }));
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}

const results = [];
for (const [name, ...command] of steps) {
  const started = performance.now();
  process.stdout.write(`${name} …\n`);
  const { passed, output } = await run(command);
  if (!passed) process.stdout.write(`${output}\n`);
  // vitest's last lines: how many files and tests passed, failed and were skipped.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape character
  const plain = output.replace(/\x1b\[[0-9;]*m/g, '');
  const counted = name === 'tests' ? (/^ *Tests +(.*)$/m.exec(plain)?.[1] ?? '') : '';
  results.push({ name, passed, seconds: (performance.now() - started) / 1000, counted });
  // Tests import the build: without one they would test something else.
  if (name === 'build' && !passed) break;
}

console.log();
for (const { name, passed, seconds, counted } of results)
  console.log(
    `${passed ? 'ok    ' : 'FAILED'}  ${name.padEnd(6)} ${seconds.toFixed(1).padStart(7)} s  ${counted}`.trimEnd(),
  );
for (const [name] of steps.slice(results.length)) console.log(`not run ${name}`);
if (excluded.length > 0) console.log('Tests that need ROS 2 were left out: npm run check -- --all');
process.exitCode = results.length === steps.length && results.every(({ passed }) => passed) ? 0 : 1;
