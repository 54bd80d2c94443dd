import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** An addon of this machine that Node can load: any will do. */
function soundAddon(): string {
  const found = execFileSync('find', [join(root, 'node_modules'), '-name', '*.node'], { encoding: 'utf8' }).split('\n');
  const sound = found.find(
    (path) => path !== '' && spawnSync(process.execPath, ['-e', 'require(process.argv[1])', path]).status === 0,
  );
  if (sound === undefined) throw new Error('no addon that can be loaded');
  return sound;
}

// The script that colcon and setup-ros run, with a stand-in of rclnodejs.
describe('scripts/ros/rclnodejs.sh', () => {
  let folder: string;
  let addon: string;
  let packageFolder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'iq-addon-'));
    packageFolder = join(folder, 'node_modules/rclnodejs');
    addon = join(packageFolder, 'build/Release/rclnodejs.node');
    mkdirSync(join(folder, 'scripts/ros/rclnodejs'), { recursive: true });
    mkdirSync(join(packageFolder, 'build/Release'), { recursive: true });
    mkdirSync(join(packageFolder, 'scripts'));
    for (const name of ['rclnodejs.sh', 'words.sh'])
      copyFileSync(join(root, 'scripts/ros', name), join(folder, 'scripts/ros', name));
    writeFileSync(join(folder, 'scripts/ros/rclnodejs/package-lock.json'), '{}');
    copyFileSync(soundAddon(), addon);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const generator = (more = ''): void =>
    writeFileSync(
      join(packageFolder, 'scripts/generate_messages.cjs'),
      `const fs = require('node:fs');
      fs.mkdirSync('generated/iq_learn', { recursive: true });
      fs.writeFileSync('generated/iq_learn/iq_learn__msg__Transition.js', '');
      ${more}`,
    );
  const run = () =>
    spawnSync('bash', [join(folder, 'scripts/ros/rclnodejs.sh'), join(folder, 'build')], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ROS_DISTRO: 'kilted', AMENT_PREFIX_PATH: folder },
    });
  const isStamped = (): boolean => existsSync(join(packageFolder, 'generated/iq_learn.stamp'));

  it('generates the messages where the addon can be loaded', () => {
    generator();
    expect(run()).toMatchObject({ status: 0, stderr: '' });
    expect(isStamped()).toBe(true);
  });

  it('ends with an error where it cannot be loaded, before the package deletes it', () => {
    writeFileSync(addon, 'no library');
    generator("fs.rmSync('build', { recursive: true });");
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /addon cannot be loaded before its messages are generated: .*\nexpected: .*kilted.*\nto do: /,
    );
    expect(existsSync(addon)).toBe(true);
    expect(isStamped()).toBe(false);
  });

  it('ends with an error where generating took it away, instead of a build that looks finished', () => {
    generator("fs.rmSync('build', { recursive: true });");
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toContain('after its messages were generated');
    expect(isStamped()).toBe(false);
  });
});
