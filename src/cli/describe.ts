import { existsSync, readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { IqLearnError, messageOf } from '../common/index.js';
import { openRecording, surveyRecording } from '../demonstrations/index.js';
import { writeFileAtomic } from '../platform/index.js';
import { draftDescription, type JointLimits, parseRobotSpec } from '../robot/index.js';
import { command, type Io } from './command.js';
import { readUrdf } from './describe/urdf.js';

interface DescribeOptions {
  readonly bag?: string;
  readonly urdf?: string;
  readonly command?: string;
  readonly name?: string;
  readonly out?: string;
}

function urdfOf(path: string): { name: string; joints: readonly JointLimits[] } {
  try {
    return readUrdf(readFileSync(path, 'utf8'), path);
  } catch (cause) {
    if (cause instanceof IqLearnError) throw cause;
    throw new IqLearnError('NOT_FOUND', `cannot read the URDF ${path}`, { found: messageOf(cause), cause });
  }
}

/** A description in a file begins with the schema that editors check it by. */
async function describe({ bag, urdf, command: topic, name, out }: DescribeOptions): Promise<string> {
  if (bag === undefined && urdf === undefined)
    throw new IqLearnError('INVALID_ARGUMENT', 'there is nothing to describe', {
      found: 'neither a recording nor a URDF',
      expected: '--bag or --urdf, or both',
      remedy: 'for a robot that runs: ros2 run iq_learn describe',
    });
  const model = urdf === undefined ? undefined : urdfOf(urdf);
  const topics = bag === undefined ? [] : await surveyRecording(await openRecording(bag));
  const file = out === undefined ? undefined : basename(out, extname(out));
  const given = name ?? file ?? model?.name ?? basename(bag ?? 'robot', extname(bag ?? ''));
  const text = draftDescription({
    name: given,
    topics,
    joints: model?.joints ?? [],
    ...(topic === undefined ? {} : { command: topic }),
  });
  parseRobotSpec(text, out ?? 'the draft');
  return text;
}

/** `iq-learn describe`: a first description of a robot from a recording of its topics, its URDF, or both. */
export function describeCommand(io: Io): Command {
  return command('describe', 'Write a first description of a robot from a recording, a URDF, or both.', [
    'iq-learn describe --bag bags/monday --out courier.yaml',
    'iq-learn describe --bag bags/arm --urdf arm.urdf --name my_arm',
  ])
    .option('--bag <recording>', 'a recording of its state and its commands: topics, rates, frames, ranges')
    .option('--urdf <file>', 'its URDF (of xacro: xacro robot.xacro > robot.urdf): joints and their limits')
    .option('--command <topic>', 'the topic that commands it (default: the one with most commands)')
    .option('--name <name>', 'name of the robot (default: of the file, the URDF or the recording)')
    .option('--out <file>', 'write it to this new file (default: print it)')
    .action(async (options: DescribeOptions) => {
      const { out } = options;
      if (out !== undefined && existsSync(out))
        throw new IqLearnError('CONFLICT', `${out} is there already`, { remedy: 'give another name' });
      const text = await describe(options);
      if (out === undefined) io.stdout.write(text);
      else {
        writeFileAtomic(out, text);
        io.stdout.write(`${out}\nCheck every line, then: iq-learn inspect ${out}\n`);
      }
    });
}
