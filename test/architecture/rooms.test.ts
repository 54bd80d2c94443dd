import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Rooms of `src` from the ground up: a room imports only from rooms above it in this table. `node` says which of its
 * files may import from Node: none, all, or those that match. docs/architecture.md explains every room.
 */
const rooms: readonly { readonly room: string; readonly node: 'none' | 'all' | RegExp }[] = [
  { room: 'common', node: 'none' },
  { room: 'platform', node: 'all' },
  { room: 'engine', node: /^(executors\/|trace\/call-site)/ },
  { room: 'messages', node: 'none' },
  { room: 'robot', node: 'none' },
  { room: 'policy', node: 'none' },
  { room: 'learning', node: 'none' },
  { room: 'demonstrations', node: 'none' },
  { room: 'transport', node: /^(embedded|mqtt)\// },
  { room: 'transport/ros2', node: 'all' },
  { room: 'link', node: /^(spool|signing)/ },
  { room: 'simulation', node: /^(bridges\/|(task-worker|worker-client|physics\/mujoco)\.ts$)/ },
  { room: 'training', node: /^process\// },
  { room: 'nodes', node: 'none' },
  { room: 'report', node: 'all' },
  { room: 'sessions', node: 'none' },
  { room: 'hosts/plain', node: 'all' },
  { room: 'hosts/ros2', node: 'all' },
  { room: 'cli', node: 'all' },
];

/** Rooms with an inner room of their own: the longest name that fits is a file's room. */
const names = rooms.map(({ room }) => room).sort((a, b) => b.length - a.length);
const roomOf = (file: string): string | undefined => names.find((name) => file.startsWith(`src/${name}/`));

interface Import {
  readonly from: string;
  readonly to: string;
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    // The report's pages are bundled for browsers, apart from everything else.
    if (entry.isDirectory()) return path === 'src/report/browser' ? [] : sources(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

const files = sources('src');
const node: Import[] = [];
const inner: Import[] = [];
for (const from of files) {
  const text = readFileSync(join(root, from), 'utf8');
  const specifiers = [
    ...text.matchAll(/^(?:import|export)\s[^'"]*?from '([^']+)'/gm),
    ...text.matchAll(/^import '([^']+)'/gm),
    ...text.matchAll(/\bimport\('([^']+)'\)/g),
  ].map((match) => match[1]!);
  for (const specifier of specifiers) {
    if (specifier.startsWith('node:')) node.push({ from, to: specifier });
    if (!specifier.startsWith('.')) continue;
    const to = relative(root, join(root, dirname(from), specifier)).replace(/\.js$/, '.ts');
    if (existsSync(join(root, to))) inner.push({ from, to });
  }
}

describe('the rooms of src', () => {
  it('are all in the table, and every file but the entry point is in one', () => {
    expect(files.filter((file) => roomOf(file) === undefined)).toEqual(['src/index.ts']);
    for (const { room } of rooms) expect(existsSync(join(root, `src/${room}/index.ts`)), room).toBe(true);
  });

  it('import only from rooms above them in the table', () => {
    const floor = new Map(rooms.map(({ room }, i) => [room, i]));
    const upwards = inner.filter(({ from, to }) => {
      const [a, b] = [roomOf(from), roomOf(to)];
      return a !== undefined && b !== undefined && floor.get(b)! > floor.get(a)!;
    });
    expect(upwards).toEqual([]);
  });

  it('reach each other through the face, index.ts', () => {
    const past = inner.filter(({ from, to }) => {
      const [a, b] = [roomOf(from), roomOf(to)];
      return b !== undefined && a !== b && to !== `src/${b}/index.ts`;
    });
    expect(past).toEqual([]);
  });

  it('have no face that exports by star, or that their own files import', () => {
    for (const { room } of rooms) {
      const face = `src/${room}/index.ts`;
      expect(readFileSync(join(root, face), 'utf8'), face).not.toMatch(/export \*/);
      expect(inner.filter(({ from, to }) => to === face && roomOf(from) === room)).toEqual([]);
    }
  });

  it('touch the platform only where the table says so', () => {
    const wrong = node.filter(({ from }) => {
      const room = roomOf(from);
      const rule = rooms.find((entry) => entry.room === room)?.node ?? 'none';
      if (rule === 'all') return false;
      return rule === 'none' || !rule.test(from.slice(`src/${room}/`.length));
    });
    expect(wrong).toEqual([]);
  });

  it('have no circle of imports of any size', () => {
    const next = new Map<string, string[]>();
    for (const { from, to } of inner) next.set(from, [...(next.get(from) ?? []), to]);
    const done = new Set<string>();
    const circles: string[][] = [];
    const visit = (file: string, path: readonly string[]): void => {
      const at = path.indexOf(file);
      if (at >= 0) circles.push([...path.slice(at), file]);
      if (at >= 0 || done.has(file)) return;
      for (const to of next.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });
});
