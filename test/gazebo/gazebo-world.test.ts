import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gazeboWorld } from '#src/hosts/ros2/gazebo-world.js';

const path = process.env.PATH;
let folder: string;

/** A `gz` that writes down its arguments, one a line, and answers as told. */
function fakeGz(answer: string, status = 0): void {
  writeFileSync(
    join(folder, 'gz'),
    `#!/bin/sh\nprintf '%s\\n' "$@" > '${folder}/arguments'\necho '${answer}'\nexit ${status}\n`,
  );
  chmodSync(join(folder, 'gz'), 0o755);
}
const askedFor = (): string[] => readFileSync(join(folder, 'arguments'), 'utf8').trimEnd().split('\n');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gz-'));
  process.env.PATH = `${folder}${delimiter}${path}`;
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

describe('Gazebo by its command line', () => {
  it('places a model, pauses, and publishes, as gz service and gz topic take it', async () => {
    fakeGz('data: true');
    const world = gazeboWorld('rover');
    await world.place('goal', { position: [1.5, -2, 0.003], orientation: [0, 0, 0, 1] });
    expect(askedFor()).toEqual([
      'service',
      '-s',
      '/world/rover/set_pose',
      '--reqtype',
      'gz.msgs.Pose',
      '--reptype',
      'gz.msgs.Boolean',
      '--timeout',
      '5000',
      '--req',
      'name: "goal", position: {x: 1.5, y: -2, z: 0.003}, orientation: {x: 0, y: 0, z: 0, w: 1}',
    ]);
    await world.pause(true);
    expect(askedFor()[2]).toBe('/world/rover/control');
    expect(askedFor().at(-1)).toBe('pause: true');
    await world.publish('/model/rover/cmd_vel', 'gz.msgs.Twist', 'linear: {x: 0}');
    expect(askedFor()).toEqual(['topic', '-t', '/model/rover/cmd_vel', '-m', 'gz.msgs.Twist', '-p', 'linear: {x: 0}']);
  });

  it('takes silence and refusal for what they are, although gz exits with 0', async () => {
    fakeGz('Service call timed out');
    await expect(gazeboWorld('arm').pause(false)).rejects.toThrow(
      /Gazebo did not go on; found: \/world\/arm\/control answered 'Service call timed out'/,
    );
    fakeGz('data: false');
    await expect(gazeboWorld('arm').pause(false)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('says that gz is missing, or failed', async () => {
    process.env.PATH = folder;
    await expect(gazeboWorld('rover').pause(true)).rejects.toThrow(/no command gz.*install gz-tools/);
    process.env.PATH = `${folder}${delimiter}${path}`;
    fakeGz('', 3);
    await expect(gazeboWorld('rover').pause(true)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
