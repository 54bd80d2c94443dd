import type { Command } from 'commander';
import { command, type Io } from './command.js';
import * as describe from './inspect/describe.js';
import { kindOf } from './inspect/kind.js';

async function description(given: string): Promise<string> {
  const { kind, path } = kindOf(given);
  switch (kind) {
    case 'policy':
      return describe.describePolicy(path);
    case 'model':
      return describe.describeModel(path);
    case 'recording':
      return describe.describeRecording(path);
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
  ])
    .argument('<path>', 'a policy, recording, checkpoint, ONNX model, RobotSpec, report, or the folder of a run')
    .action(async (path: string) => {
      io.stdout.write(`${await description(path)}\n`);
    });
}
