// node install-node-modules.mjs PACKAGE TO: makes TO hold the npm packages that PACKAGE needs at run time, optional peers
// that are installed included, as links to the same files where the file system can. Does nothing where TO has them.
import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

const [root, to] = process.argv.slice(2);
const modules = realpathSync(join(root, 'node_modules'));
const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** The folder of `name` as Node finds it from `folder`. */
function find(name, folder) {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    if (at === dirname(at)) return undefined;
  }
}

/**
 * Where each package goes below TO, and its folder. A package linked from elsewhere (rclnodejs) gets its own below itself,
 * where Node looks first.
 */
const found = new Map();
function walk(folder, base, below) {
  const {
    name,
    dependencies = {},
    optionalDependencies = {},
    peerDependencies = {},
    peerDependenciesMeta = {},
  } = manifestOf(folder);
  for (const needed of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    const at = find(needed, folder);
    if (at === undefined) {
      if (needed in optionalDependencies || peerDependenciesMeta[needed]?.optional) continue;
      throw new Error(`${name} needs ${needed}, which is not installed; run npm ci`);
    }
    const inside = relative(base, at);
    const elsewhere = inside.startsWith('..');
    const place = elsewhere ? join(below, needed) : join(below, inside);
    if (found.has(place)) continue;
    found.set(place, at);
    if (elsewhere) walk(at, at.slice(0, -needed.length - 1), join(place, 'node_modules'));
    else walk(at, base, below);
  }
}
walk(root, modules, '');

const packages = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
// Generated messages of rclnodejs change without its version.
const generated = join(modules, 'rclnodejs/generated/iq_learn.stamp');
const key = JSON.stringify([
  packages.map(([place, from]) => [place, from, manifestOf(from).version]),
  existsSync(generated) ? readFileSync(generated, 'utf8') : null,
]);
const stamp = join(to, '.iq_learn');
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) process.exit(0);

function copy(from, target) {
  mkdirSync(target, { recursive: true });
  for (const entry of readdirSync(from)) {
    if (entry === 'node_modules') continue; // packages of their own
    const source = join(from, entry);
    const status = lstatSync(source);
    if (status.isDirectory()) copy(source, join(target, entry));
    else if (status.isFile())
      try {
        linkSync(source, join(target, entry));
      } catch (error) {
        if (error.code !== 'EXDEV' && error.code !== 'EPERM') throw error;
        copyFileSync(source, join(target, entry));
      }
  }
}
rmSync(to, { recursive: true, force: true });
for (const [place, from] of packages) copy(from, join(to, place));
writeFileSync(stamp, key);
