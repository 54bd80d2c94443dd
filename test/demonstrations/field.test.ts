import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { writeBag } from './bag.js';
import { command, joints, stampAt, temporaryFolder, toyText } from './toy.js';

const run = promisify(execFile);

/** Two seconds of the robot that counts, under these names of topics. */
const messages = (prefix = '') =>
  Array.from({ length: 41 }, (_, k) => k).flatMap((k) => {
    const logNs = stampAt(0, k);
    return [
      { topic: `${prefix}/joint_states`, type: 'sensor_msgs/msg/JointState', message: joints(logNs, 0, k), logNs },
      { topic: `${prefix}/cmd_vel`, type: 'geometry_msgs/msg/TwistStamped', message: command(logNs, 0, k), logNs },
    ];
  });

it('npm run field prints a line for each recording of a folder, by the description that belongs to it', async () => {
  const folder = temporaryFolder();
  await writeBag(join(folder, 'own', 'own_0.mcap'), messages());
  writeFileSync(join(folder, 'own', 'robot.yaml'), toyText);
  await writeBag(join(folder, 'named', 'named_0.mcap'), messages('/bot1'));
  mkdirSync(join(folder, 'robots'));
  writeFileSync(join(folder, 'robots', 'toy.yaml'), toyText);
  writeFileSync(join(folder, 'field.yaml'), '"nam*": robots/toy.yaml\n');
  const field = async (...options: string[]): Promise<{ code: number; lines: string[] }> => {
    const args = ['scripts/field.mjs', folder, ...options];
    const ended: { code?: number; stdout: string } = await run(process.execPath, args).catch(
      (error: unknown) => error as { code: number; stdout: string },
    );
    const { code = 0, stdout } = ended;
    return {
      code,
      lines: stdout
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('  ')),
    };
  };
  const plain = await field();
  expect(plain.code).toBe(1);
  expect(plain.lines).toEqual([
    expect.stringMatching(/^named: refused: MISMATCH: .*give --namespace bot1$/),
    'own: 1 episode, 40 transitions',
  ]);
  const named = await field('--namespace', 'bot1');
  expect(named.lines[0]).toBe('named: 1 episode, 40 transitions');
});
