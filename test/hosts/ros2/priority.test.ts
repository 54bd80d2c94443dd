import { execFileSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { expect, it } from 'vitest';

// In a process of its own: what is set back for its threads cannot be undone by an ordinary user.
const script = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { goFirst } from '#src/hosts/ros2/priority.js';
  const niceness = (thread) => {
    const stat = readFileSync('/proc/self/task/' + thread + '/stat', 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  };
  const look = () => {
    const others = readdirSync('/proc/self/task').map(Number).filter((thread) => thread !== process.pid);
    return { control: niceness(process.pid), others: others.map(niceness) };
  };
  const before = look();
  goFirst();
  console.log(JSON.stringify({ before, after: look() }));
`;

it.runIf(process.platform === 'linux')('control goes before V8’s threads, and before others where it may', () => {
  const { before, after } = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  );
  expect(before.others.length).toBeGreaterThan(0);
  if (getPriority() !== 0) {
    expect(after).toEqual(before); // somebody chose a priority
    return;
  }
  expect([-10, 0]).toContain(after.control); // 0 where this user may not
  expect(new Set(after.others)).toEqual(new Set([10]));
});
