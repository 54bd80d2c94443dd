import type { Command } from 'commander';
import { command, type Io } from './command.js';
import { refuseUnread } from './contradictions.js';
import * as describe from './inspect/describe.js';
import { kindOf } from './inspect/kind.js';
import { describeRecording, type RecordingOptions } from './inspect/recording.js';
import { actionOption, clockOption, namespaceOption, type ReadingOptions, readingOf, robot } from './options.js';

async function description(given: string, options: RecordingOptions): Promise<string> {
  const { kind, path } = kindOf(given);
  switch (kind) {
    case 'policy':
      return describe.describePolicy(path);
    case 'model':
      return describe.describeModel(path);
    case 'recording':
      return describeRecording(path, options);
    case 'checkpoint':
      return describe.describeCheckpoint(path);
    case 'robot':
      return describe.describeRobot(path);
    case 'report':
      return describe.describeReport(path);
  }
}

/** `iq-learn inspect`: says what a file or folder is, what it holds, and whether it is complete. */
export function inspectCommand(io: Io): Command {
  return command('inspect', 'Say what a file or folder is, what it holds, and whether it is complete.', [
    'iq-learn inspect runs/my-run/policy',
    'iq-learn inspect config/robots/rover.yaml',
    'iq-learn inspect --robot rover bags/monday',
  ])
    .argument('<path>', 'a policy, recording, checkpoint, ONNX model, RobotSpec, report, or the folder of a run')
    .option('--robot <name>', 'look at a recording through the description of this robot (a name, or its file)', robot)
    .addOption(actionOption())
    .addOption(namespaceOption())
    .addOption(clockOption())
    .action(async (path: string, options: ReadingOptions & { readonly robot?: string }, made: Command) => {
      io.interrupt.nothingToSave();
      const { kind } = kindOf(path);
      if (kind !== 'recording')
        refuseUnread(made, {
          name: `inspecting a ${kind}`,
          found: path,
          options: ['--robot', '--action', '--namespace', '--clock'],
          remedy: 'leave them out: they say how a recording is read',
        });
      const chosen = options.robot === undefined ? {} : { robot: options.robot };
      io.stdout.write(`${await description(path, { ...chosen, ...readingOf(options) })}\n`);
    });
}
