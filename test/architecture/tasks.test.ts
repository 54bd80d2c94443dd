import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { taskNames } from '#src/simulation/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const tasks = readdirSync(join(root, 'src/simulation/tasks'), { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? entry.name : [],
);

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

describe('tasks', () => {
  it('are one folder each', () => {
    expect(taskNames().sort()).toEqual(tasks.sort());
  });

  it('are named by nothing but their folder and the registry', () => {
    const others = sources('src').filter(
      (file) => !file.startsWith('src/simulation/tasks/') && file !== 'src/simulation/registry.ts',
    );
    const name = new RegExp(`['"\`](${tasks.join('|')})['"\`]`);
    const naming = others.flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        // Comments, and the robot of the demo and of ROS nodes where the user names none.
        .filter((line) => name.test(line) && !/^\s*(\/\*|\*|\/\/)|'hopper'\)$|'rover'\)$|robot = 'rover'/.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(naming).toEqual([]);
  });
});
