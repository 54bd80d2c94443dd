import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openRecording, readDemonstrations } from '#src/demonstrations/index.js';
import { loadRobotSpec } from '#src/robot/index.js';
import { describeWithPython, runPython } from '../support/python.js';
import { stateOf } from '../support/state.js';
import { temporaryFolder } from './toy.js';

describeWithPython('a bag of ros2 bag record, without a marker of ours', () => {
  it('is learned from as it is: commands for actions, an episode between two silences', async () => {
    const bag = join(temporaryFolder(), 'bag');
    await runPython('test/demonstrations/write_bag.py', bag);
    expect(readdirSync(bag)).toContain('metadata.yaml');
    const reader = await openRecording(bag);
    expect(reader.info).toBeNull();
    expect([...reader.topics.keys()]).toContain('/odom');
    const rover = loadRobotSpec('rover');
    const { episodes, report } = await readDemonstrations([bag], rover);
    expect(report.recordings[0]).toMatchObject({ actionTopic: '/cmd_vel', clockJumps: 1, problems: [] });
    expect(episodes.map(({ length }) => length)).toEqual([30, 20]);
    for (const { actions, observations, terminated, truncated, success } of episodes) {
      expect([...new Set(actions)]).toEqual([Math.fround(0.2), 0]);
      expect({ terminated, truncated, success }).toEqual({ terminated: false, truncated: true, success: null });
      const size = rover.observation.length;
      expect(stateOf(observations)[0]).toBe(1); // the goal is farther than the description looks
      expect([...stateOf(observations).subarray(3, size)].every((range) => range === 1)).toBe(true);
    }
  });
});
