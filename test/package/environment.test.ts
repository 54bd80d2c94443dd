import { expect, it } from 'vitest';
import { describeWithRos, runRosPython, startNode } from '../support/ros.js';

describeWithRos('the ROS 2 of scripts/setup-ros.sh', () => {
  it('carries a common message and one of ours from rclnodejs to rclpy', async () => {
    const publisher = startNode('test/package/publish.mjs');
    const header = { stamp: { sec: 12, nanosec: 34 }, frame_id: 'map' };
    const printed = await runRosPython('test/package/subscribe.py');
    // 2 ** 63 is beyond what JSON.parse keeps exactly
    expect(printed).toContain('"sequence": 9223372036854775808,');
    expect(JSON.parse(printed), publisher.output).toMatchObject({
      state: { header, name: ['elbow', 'wrist'], position: [0.25, -1.5], velocity: [], effort: [] },
      transition: {
        header,
        robot: 'arm',
        policy_version: -1,
        intervention: true,
        observation: [0.5, 0.25],
        action: [-1],
        next_observation: [1, 2],
        terminated: false,
        truncated: true,
        reward: -0.125,
      },
    });
    publisher.kill('SIGKILL');
    expect(await publisher.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
