import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { IqLearnError, messageOf } from '../../common/index.js';
import type { GazeboWorld } from '../../simulation/index.js';

const run = promisify(execFile);
/** Milliseconds for Gazebo's answer, and for the whole call: starting `gz` takes about a second. */
const ANSWER_MS = 5000;
const CALL_MS = 15_000;

/**
 * Gazebo's services through its command line `gz`, which every installation has. Its message types are not ROS
 * interfaces, so the bridge does not offer them. `world` is the name in the .sdf file.
 */
export function gazeboWorld(world: string): GazeboWorld {
  const gz = async (args: readonly string[], what: string): Promise<string> => {
    try {
      const { stdout } = await run('gz', [...args], { timeout: CALL_MS });
      return stdout;
    } catch (cause) {
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      throw new IqLearnError('UNAVAILABLE', `Gazebo cannot be asked to ${what}`, {
        found: missing ? 'no command gz' : messageOf(cause),
        expected: 'gz (Gazebo Harmonic or later) on PATH, and Gazebo running',
        remedy: missing ? 'install gz-tools, as with ros-<distro>-ros-gz' : 'start gazebo.launch.py first',
        cause,
      });
    }
  };
  const call = async (service: string, type: string, request: string, what: string): Promise<void> => {
    const name = `/world/${world}/${service}`;
    const answer = await gz(
      [
        'service',
        '-s',
        name,
        '--reqtype',
        type,
        '--reptype',
        'gz.msgs.Boolean',
        '--timeout',
        String(ANSWER_MS),
        '--req',
        request,
      ],
      what,
    );
    // gz exits with 0 also when nothing answered.
    if (!/\bdata:\s*true\b/.test(answer))
      throw new IqLearnError('UNAVAILABLE', `Gazebo did not ${what}`, {
        found: `${name} answered '${answer.trim() || 'nothing'}'`,
        expected: 'data: true',
        remedy: `check that Gazebo runs the world '${world}': gz service -l`,
      });
  };
  return {
    async place(model, { position: [x, y, z], orientation: [qx, qy, qz, qw] }) {
      const position = `position: {x: ${x}, y: ${y}, z: ${z}}`;
      const orientation = `orientation: {x: ${qx}, y: ${qy}, z: ${qz}, w: ${qw}}`;
      await call('set_pose', 'gz.msgs.Pose', `name: "${model}", ${position}, ${orientation}`, `place ${model}`);
    },
    async pause(paused) {
      await call('control', 'gz.msgs.WorldControl', `pause: ${paused}`, paused ? 'pause' : 'go on');
    },
    async publish(topic, type, text) {
      await gz(['topic', '-t', topic, '-m', type, '-p', text], `publish on ${topic}`);
    },
  };
}
