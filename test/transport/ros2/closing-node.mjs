// A managed node that publishes a stop command and leaves the graph when it is told to end: nothing ends the process.

import { emptyMessage } from '#src/messages/index.js';
import { createNodeLogger } from '#src/platform/index.js';
import { qos } from '#src/transport/index.js';
import { openRos2 } from '#src/transport/ros2/index.js';

const logger = createNodeLogger('closing', { console: false });
const node = await openRos2({ nodeName: 'closing', managed: true, logger, args: process.argv.slice(2) });
const message = emptyMessage('geometry_msgs/msg/Twist');
const publisher = node.transport.advertise('/cmd_vel', 'geometry_msgs/msg/Twist', qos.command);
node.transport.serve('/closing/save', 'std_srvs/srv/Trigger', () => new Promise(() => {}));
const call = node.transport.call('/nobody', 'std_srvs/srv/Trigger', {}, { timeoutMs: 60_000 });
call.catch(({ code }) => console.log(`call ${code}`));
node.manage({
  configure: () => true,
  activate: () => true,
  deactivate: () => true,
  cleanup: () => true,
  shutdown: () => true,
  error: () => false,
});
node.start();
const timer = setInterval(() => publisher.publish({ ...message, linear: { x: 1, y: 0, z: 0 } }), 10);
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    clearInterval(timer);
    publisher.publish(message);
    await node.close();
    console.log('closed');
  });
logger.warn('the reason why');
console.log('ready');
