// Records episodes until it is killed: node record-child.mjs FOLDER SPEC [CLOSED]. Says 'closing N', then 'ended N' once episode
// N is closed and handed to the file; after CLOSED episodes the next one goes on for ever.
import { RecordingWriter } from '#src/demonstrations/index.js';
import { emptyMessage, header } from '#src/messages/index.js';
import { parseRobotSpec } from '#src/robot/index.js';

const [folder, specText, closed = 'Infinity'] = process.argv.slice(2);
const writer = await RecordingWriter.create(folder, {
  spec: parseRobotSpec(specText, 'toy.yaml'),
  session: 'child',
  flushSeconds: 0.05,
});
const stampAt = (episode, k) => 1_000_000_000_000n + BigInt(episode) * 10_000_000_000n + BigInt(k) * 50_000_000n;
for (let episode = 0; ; episode++) {
  writer.startEpisode({ stampNs: stampAt(episode, 0), episode, seed: BigInt(episode) });
  for (let k = 0; k <= 40 || episode >= Number(closed); k++) {
    const stampNs = stampAt(episode, k);
    const head = header(stampNs, 'base');
    const state = { ...emptyMessage('sensor_msgs/msg/JointState'), header: head, name: ['step', 'episode'] };
    writer.write('/joint_states', 'sensor_msgs/msg/JointState', { ...state, position: [k, episode] }, stampNs);
    const command = emptyMessage('geometry_msgs/msg/TwistStamped');
    command.header = head;
    command.twist.linear.x = k + 0.5;
    command.twist.angular.z = -episode;
    if (k !== 40 || episode >= Number(closed))
      writer.write('/teleop/cmd_vel', 'geometry_msgs/msg/TwistStamped', command, stampNs);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  process.stdout.write(`closing ${episode}\n`);
  writer.endEpisode({ stampNs: stampAt(episode, 40), terminated: true, truncated: false, success: true });
  await writer.idle();
  process.stdout.write(`ended ${episode}\n`);
}
