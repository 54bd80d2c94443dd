// A process that ends as the executables do: node ending.mjs quick|hanging|failing
import { createLogger } from 'winston';
import { endWith } from '../../../dist/src/hosts/ros2/ending.js';

const [how] = process.argv.slice(2);
endWith(
  async () => {
    console.log('the robot is stopped');
    await new Promise((resolve) => setTimeout(resolve, how === 'hanging' ? 60_000 : 20));
    console.log('files are closed');
  },
  createLogger({ silent: true }),
);
setInterval(() => {}, 1000);
console.log('ready');
if (how === 'failing')
  setTimeout(() => {
    throw new Error('nobody catches this');
  }, 10);
