import type { Command } from 'commander';
import { readBundle } from '../policy/index.js';
import { candidateOf } from '../report/index.js';
import { checkContract, loadRobotSpec, robotNames } from '../robot/index.js';
import { trainingSettings } from '../sessions/index.js';
import { evaluationSeeds } from '../training/index.js';
import { assess, resultOf } from './assess.js';
import { commandLine, type Io, longCommand, withDisplay } from './command.js';
import { Display } from './display.js';
import { resultFigures, writeFigures } from './figures.js';
import { integer, jsonOption, robot, seedOption } from './options.js';
import type { OutputOptions } from './output.js';
import { checkTarget } from './run-folder.js';
import { fileLogger } from './session.js';
import { resultTable } from './table.js';

interface EvaluateOptions extends OutputOptions {
  readonly policy: string;
  readonly robot: string;
  readonly episodes?: number;
  readonly seed: number;
  readonly json?: string;
}

/** `iq-learn evaluate`: lets a policy drive the robot from fresh starts, through the policy node and the safety filter. */
export function evaluateCommand(io: Io): Command {
  return longCommand(
    'evaluate',
    'Deploy a policy through the policy node and the safety filter, and measure it from fresh starts.',
    [
      'iq-learn evaluate --policy runs/my-run/policy --robot rover',
      'iq-learn evaluate --policy runs/my-run/policy --robot rover --episodes 200 --json figures.json',
    ],
  )
    .requiredOption('--policy <folder>', 'the folder of a policy bundle')
    .requiredOption('--robot <name>', `${robotNames().join(', ')}, or the path of a RobotSpec`, robot)
    .option(
      '--episodes <n>',
      "number of fresh starts (default: the robot's setting)",
      integer('--episodes', 1, 100_000),
    )
    .addOption(seedOption())
    .addOption(jsonOption())
    .action(async (options: EvaluateOptions) => {
      const spec = loadRobotSpec(options.robot);
      const runtime = await readBundle(options.policy);
      await runtime.dispose();
      checkContract(runtime.contract, spec);
      if (options.json !== undefined) checkTarget(options.json);
      const display = new Display(io.stderr, options);
      const settings = trainingSettings(spec.task);
      const session = { io, display, spec, settings, seed: options.seed, logger: fileLogger(undefined, options) };
      const seeds = evaluationSeeds(options.seed, options.episodes ?? settings.evaluationEpisodes);
      const who = candidateOf(String(runtime.training.algorithm ?? ''));
      const assessment = await withDisplay(display, () =>
        assess(session, who, { kind: 'policy', bundle: options.policy }, seeds),
      );
      const results = [resultOf(assessment)];
      const { policy, robot: name, episodes, seed } = options;
      const again = commandLine('evaluate', { policy, robot: name, episodes, seed });
      if (options.json !== undefined)
        writeFigures(options.json, 'evaluate', again, resultFigures(results, settings.hasSuccess));
      io.stdout.write(`${resultTable([who], results, settings.hasSuccess)}\n`);
    });
}
