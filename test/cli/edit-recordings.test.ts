import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecording, RecordingWriter, readDemonstrations } from '#src/demonstrations/index.js';
import { header } from '#src/messages/index.js';
import { type Written, writeBag } from '../demonstrations/bag.js';
import { command, joints, stampAt, toy, writeEpisode } from '../demonstrations/toy.js';
import { cli, inNewFolder } from './support.js';

let folder: ReturnType<typeof inNewFolder>;
beforeAll(async () => {
  folder = inNewFolder();
  await writeBag('bags/monday/monday_0.mcap', messages());
});
afterAll(() => folder.leave());

/** Three seconds at 20 Hz of the robot that counts, as another program records it, with a topic that is not ours. */
function messages(): Written[] {
  return Array.from({ length: 61 }, (_, k) => k).flatMap((k): Written[] => {
    const logNs = stampAt(0, k);
    return [
      { topic: '/joint_states', type: 'sensor_msgs/JointState', message: joints(logNs, 0, k), logNs },
      { topic: '/teleop/cmd_vel', type: 'geometry_msgs/msg/TwistStamped', message: command(logNs, 0, k), logNs },
      {
        topic: '/light',
        type: 'light_msgs/msg/Light',
        data: Uint8Array.of(0, 1, 0, 0, k),
        logNs,
        schema: 'uint8 level',
      },
      {
        topic: '/odd',
        type: 'odd_msgs/msg/Odd',
        data: new Uint8Array(8),
        logNs,
        encoding: 'ros2idl',
        schema: 'module',
      },
    ];
  });
}
const steps = async (path: string): Promise<number[]> => {
  const { episodes } = await readDemonstrations([path], toy);
  return episodes.map(({ length }) => length);
};
const counts = async (path: string): Promise<[string, number][]> =>
  [...(await openRecording(path)).topics.values()].map(({ topic, messages: count }) => [topic, count]);

describe('recordings are rewritten, never in place', () => {
  it('convert writes MCAP with definitions, says what it leaves out, and refuses a folder that is there', async () => {
    const before = readFileSync('bags/monday/monday_0.mcap');
    const { code, stdout, stderr } = await cli('convert', 'bags/monday', '--out', 'bags/converted');
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/bags\/converted \(183 messages\)/),
    });
    expect(stderr).toMatch(/left out: \/odd: .*ros2idl/);
    expect(readdirSync('bags/converted').sort()).toEqual(['converted_0.mcap', 'metadata.yaml']);
    expect(await counts('bags/converted')).toEqual([
      ['/joint_states', 61],
      ['/teleop/cmd_vel', 61],
      ['/light', 61],
    ]);
    expect((await openRecording('bags/converted')).problems).toEqual([]);
    expect(await steps('bags/converted')).toEqual([60]);
    const again = await cli('convert', 'bags/monday', '--out', 'bags/converted');
    expect(again.stderr).toContain('recordings are never changed in place');
    expect(again.code).not.toBe(0);
    expect(readFileSync('bags/monday/monday_0.mcap').equals(before)).toBe(true);
  });

  it('trim keeps a stretch, split cuts into parts, merge puts them together again', async () => {
    expect((await cli('trim', 'bags/converted', '--from', '1', '--to', '2.01', '--out', 'bags/second')).code).toBe(0);
    expect(await steps('bags/second')).toEqual([20]);
    expect((await cli('split', 'bags/converted', '--every', '1', '--out', 'bags/parts')).code).toBe(0);
    expect(readdirSync('bags/parts').sort()).toEqual(['000', '001', '002', '003']);
    const parts = ['000', '001', '002', '003'].map((name) => `bags/parts/${name}`);
    expect((await cli('merge', ...parts.toReversed(), '--out', 'bags/whole')).code).toBe(0);
    expect(await steps('bags/whole')).toEqual([60]);
    expect(await counts('bags/whole')).toEqual(await counts('bags/converted'));
  });

  it('merge takes topics of the same time from several recordings', async () => {
    const all = messages();
    await writeBag(
      'a/a_0.mcap',
      all.filter(({ topic }) => topic === '/joint_states'),
    );
    await writeBag(
      'b/b_0.mcap',
      all.filter(({ topic }) => topic === '/teleop/cmd_vel'),
    );
    expect((await cli('merge', 'a', 'b', '--out', 'both')).code).toBe(0);
    expect(await steps('both')).toEqual([60]);
  });

  it('a stretch without messages, and seconds that are none, are refused; nothing is left behind', async () => {
    const far = await cli('trim', 'bags/monday', '--from', '99', '--out', 'bags/nothing');
    expect(far).toMatchObject({ code: 2, stderr: expect.stringContaining('a stretch within 3.000 s') });
    expect(existsSync('bags/nothing')).toBe(false);
    expect((await cli('trim', 'bags/monday', '--from', 'x', '--out', 'bags/nothing')).stderr).toContain('--from 2.5');
  });

  it('episodes of our own recordings stay whole', async () => {
    const writer = await RecordingWriter.create('own', { spec: toy, session: 's' });
    for (const episode of [0, 1]) writeEpisode(writer, episode, 40);
    await writer.close();
    const cut = await cli('trim', 'own', '--from', '0.5', '--out', 'cut');
    expect(cut.stderr).toMatch(
      /cuts episode 0 of .* in two; found: a cut at 0\.500 s; expected: one outside 0\.000 s to 2\.000 s/,
    );
    expect((await cli('trim', 'own', '--from', '5', '--out', 'later')).code).toBe(0);
    expect(await steps('later')).toEqual([40]);
    const other = await RecordingWriter.create('other', { spec: { ...toy, robot: 'another' }, session: 's' });
    other.write('/joint_states', 'sensor_msgs/msg/JointState', { ...joints(0n, 0, 0), header: header(0n) }, 0n);
    await other.close();
    expect((await cli('merge', 'own', 'other', '--out', 'mixed')).stderr).toContain('own of toy, ');
  });
});
