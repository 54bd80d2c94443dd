import type { Command } from 'commander';
import { IqLearnError } from '../common/index.js';
import {
  checkNewDescription,
  openRecording,
  robotNameOf,
  surveyRecording,
  writeDescription,
} from '../demonstrations/index.js';
import { readText } from '../platform/index.js';
import type { DraftInputs, JointLimits } from '../robot/index.js';
import { command, type Io } from './command.js';
import { readUrdf } from './describe/urdf.js';

interface DescribeOptions {
  readonly bag?: string;
  readonly urdf?: string;
  readonly command?: readonly string[];
  readonly name?: string;
  readonly out?: string;
}

function urdfOf(path: string): { name: string; joints: readonly JointLimits[] } {
  try {
    return readUrdf(readText(path), path);
  } catch (cause) {
    if (!(cause instanceof IqLearnError) || cause.code === 'CORRUPT_DATA') throw cause;
    throw new IqLearnError(cause.code, `cannot read the URDF ${path}`, {
      ...(cause.found === undefined ? {} : { found: cause.found }),
      expected: 'a file of XML whose root is <robot>',
      remedy: 'check the path; of xacro: xacro robot.xacro > robot.urdf',
      cause,
    });
  }
}

async function inputsOf({ bag, urdf, command: commands, name, out }: DescribeOptions): Promise<DraftInputs> {
  if (bag === undefined && urdf === undefined)
    throw new IqLearnError('INVALID_ARGUMENT', 'there is nothing to describe', {
      found: 'neither a recording nor a URDF',
      expected: '--bag or --urdf, or both',
      remedy: 'for a robot that runs: ros2 run iq_learn describe',
    });
  const model = urdf === undefined ? undefined : urdfOf(urdf);
  const topics = bag === undefined ? [] : await surveyRecording(await openRecording(bag));
  return {
    name: name ?? (out === undefined ? undefined : robotNameOf(out)) ?? model?.name ?? robotNameOf(bag ?? 'robot'),
    topics,
    joints: model?.joints ?? [],
    ...(commands === undefined ? {} : { commands }),
  };
}

/** `iq-learn describe`: a first description of a robot from a recording of its topics, its URDF, or both. */
export function describeCommand(io: Io): Command {
  return command('describe', 'Write a first description of a robot from a recording, a URDF, or both.', [
    'iq-learn describe --bag bags/monday --out courier.yaml',
    'iq-learn describe --bag bags/arm --urdf arm.urdf --name my_arm',
  ])
    .option('--bag <recording>', 'a recording of its state and its commands: topics, rates, frames, ranges')
    .option('--urdf <file>', 'its URDF (of xacro: xacro robot.xacro > robot.urdf): joints and their limits')
    .option(
      '--command <topics...>',
      'the topics that command it (default: all that do, and of those that command the same the one with most commands)',
    )
    .option('--name <name>', 'name of the robot (default: of the file, the URDF or the recording)')
    .option('--out <file>', 'write it to this new file (default: print it)')
    .action(async (options: DescribeOptions) => {
      const { out } = options;
      checkNewDescription(out);
      writeDescription(await inputsOf(options), {
        file: out,
        print: (text) => io.stdout.write(text),
        note: (text) => io.stderr.write(`note: ${text}\n`),
      });
    });
}
