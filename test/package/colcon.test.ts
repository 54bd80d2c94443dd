import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { describeWithRos, runRosPython, startProgram } from '../support/ros.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
// Kept between runs, so that only the first one compiles interfaces.
const kept = join(root, '.ros');
const folder = join(existsSync(kept) ? realpathSync(kept) : kept, 'package-test');
const source = join(folder, 'src/iq_learn');
const prefix = join(folder, 'install/iq_learn');

interface Installed {
  readonly prefix: string;
  readonly executables: readonly string[];
  readonly interfaces: readonly string[];
  readonly share: Readonly<Record<string, readonly string[]>>;
  readonly links: readonly string[];
}

async function colcon(verb: 'build' | 'test', ...more: string[]): Promise<string> {
  const { stdout } = await run(
    'colcon',
    [
      `--log-base=${folder}/log`,
      verb,
      '--base-paths',
      source,
      '--packages-select',
      'iq_learn',
      '--build-base',
      `${folder}/build`,
    ].concat('--install-base', `${folder}/install`, '--event-handlers', 'console_direct+', ...more),
    { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
  );
  return stdout;
}

async function installed(at: string): Promise<Installed> {
  const before = process.env.AMENT_PREFIX_PATH;
  process.env.AMENT_PREFIX_PATH = `${at}:${before}`;
  try {
    return JSON.parse(await runRosPython('test/package/installed.py')) as Installed;
  } finally {
    process.env.AMENT_PREFIX_PATH = before;
  }
}

/** Names in the folders of the checkout that git keeps. */
const names = (path: string): string[] =>
  readdirSync(join(root, path))
    .filter((name) => name !== '__pycache__')
    .sort();

const nodes = [...readFileSync(join(root, 'cmake/executables.cmake'), 'utf8').matchAll(/foreach\(node (.+)\)/g)]
  .flatMap((match) => match[1]!.split(' '))
  .sort();

describeWithRos('the package as colcon builds it, from sources without dist/', () => {
  beforeAll(async () => {
    rmSync(source, { recursive: true, force: true });
    mkdirSync(source, { recursive: true });
    for (const name of readdirSync(root)) {
      if (['dist', 'node_modules', 'runs', 'coverage', 'build', 'install', 'log', 'recordings'].includes(name))
        continue;
      if (name.startsWith('.') && name !== '.npmrc') continue;
      cpSync(join(root, name), join(source, name), { recursive: true, preserveTimestamps: true });
    }
    symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
    rmSync(join(folder, 'build/iq_learn/javascript.stamp'), { force: true });
    await colcon('build');
  }, 1_200_000);

  it('installs executables, interfaces, launch files, configuration, models and worlds', async () => {
    const found = await installed(prefix);
    expect(found.prefix).toBe(prefix);
    expect(found.executables).toEqual([...nodes, 'iq-learn'].sort());
    expect([...found.interfaces].sort()).toEqual([
      ...names('msg').map((n) => `msg/${n}`),
      ...names('srv').map((n) => `srv/${n}`),
    ]);
    for (const name of ['config', 'launch', 'urdf', 'worlds']) expect(found.share[name], name).toEqual(names(name));
    expect(found.links).toEqual([]);
  });

  it('has an executable for each that src/ros knows', async () => {
    const { stdout } = await run(
      process.execPath,
      [
        '-e',
        `import('#src/hosts/ros2/executables/index.js').then((m) => console.log(m.executables.map((e) => e.name).join(' ')))`,
      ],
      { cwd: root },
    );
    expect(stdout.trim().split(' ').sort()).toEqual(nodes);
  });

  it.each([...nodes, 'iq-learn'])('lib/iq_learn/%s runs from its own files', async (name) => {
    const program = startProgram(join(prefix, 'lib/iq_learn', name), ['--help'], folder);
    expect(await program.exited, program.output).toEqual({ code: 0, signal: null });
    expect(program.output).toContain(name);
  });

  it('builds nothing the second time', { timeout: 600_000 }, async () => {
    const printed = await colcon('build');
    expect(printed).toContain('Finished <<< iq_learn');
    expect(printed.split('\n').filter((line) => /Building|Generating C|Linking|rclnodejs/.test(line))).toEqual([]);
  });

  it('takes a dist/ that came with it where there is no compiler', async () => {
    const bare = join(folder, 'bare');
    rmSync(bare, { recursive: true, force: true });
    mkdirSync(join(bare, 'node_modules'), { recursive: true });
    cpSync(join(source, 'dist/src/hosts/ros2'), join(bare, 'dist/src/hosts/ros2'), { recursive: true });
    const { stdout } = await run('cmake', ['-P', join(root, 'cmake/build-javascript.cmake')], { cwd: bare });
    expect(stdout).toContain('dist/ is taken as it is');
    expect(existsSync(join(bare, 'package-lock.json'))).toBe(false);
  });

  it('passes colcon test', { timeout: 600_000 }, async () => {
    await colcon('test');
    const { stdout } = await run('colcon', ['test-result', '--test-result-base', `${folder}/build`], { cwd: folder });
    expect(stdout).toMatch(/Summary: [1-9]\d+ tests, 0 errors, 0 failures, 0 skipped/);
  });

  // Elsewhere somebody else built the package that is sourced.
  it.skipIf(process.env.IQ_LEARN_ROS === undefined)(
    'with --symlink-install, shares the folders of the checkout',
    async () => {
      const found = await installed(join(realpathSync(join(root, '.ros')), 'install/iq_learn'));
      expect(found.executables).toEqual([...nodes, 'iq-learn'].sort());
      expect(found.links).toEqual(
        expect.arrayContaining(['config', 'dist', 'node_modules', 'package.json', 'urdf', 'worlds']),
      );
      // `ros2 launch` does not look into folders that are links.
      expect(found.links).not.toContain('launch');
      expect(found.share.launch).toEqual(names('launch'));
    },
  );
});
