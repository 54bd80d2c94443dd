import type { Command } from 'commander';
import { readBundle } from '../policy/index.js';
import { candidateOf } from '../report/index.js';
import { checkContract, loadRobotSpec, robotNames } from '../robot/index.js';
import { trainingSettings } from '../sessions/index.js';
import { evaluationSeeds } from '../training/index.js';
import { assess, resultOf } from './assess.js';
import { commandLine, type Io, longCommand, withDisplay } from './command.js';
import { refuseUnread } from './contradictions.js';
import { Display } from './display.js';
import { evaluateSeveral } from './evaluate-several.js';
import { resultFigures, writeFigures } from './figures.js';
import { integer, jsonOption, robot, seedOption } from './options.js';
import type { OutputOptions } from './output.js';
import { checkTarget, interruptedWith } from './run-folder.js';
import { fileLogger, type Session } from './session.js';
import { resultTable } from './table.js';

interface EvaluateOptions extends OutputOptions {
  readonly policy: readonly string[];
  readonly robot: string;
  readonly episodes?: number;
  readonly out?: string;
  readonly blind?: boolean;
  readonly seed: number;
  readonly json?: string;
}

/** One policy: its returns and successes as a table. */
async function evaluateOne(
  session: Session,
  policy: string,
  episodes: number,
  figures: { readonly file: string | undefined; readonly command: string },
): Promise<void> {
  const { io, display, spec, settings, seed } = session;
  const runtime = await readBundle(policy);
  await runtime.dispose();
  checkContract(runtime.contract, spec);
  if (figures.file !== undefined) checkTarget(figures.file);
  const who = candidateOf(String(runtime.training.algorithm ?? ''));
  const seeds = evaluationSeeds(seed, episodes);
  const assessment = await withDisplay(display, () =>
    assess(session, who, { kind: 'policy', bundle: policy }, seeds),
  ).catch((error: unknown) => {
    const kept = 'of one policy without --out nothing is kept; with --out FOLDER the same command goes on where it was';
    throw interruptedWith(error, `${kept}, or begin again: ${figures.command}`);
  });
  const results = [resultOf(assessment)];
  if (figures.file !== undefined)
    writeFigures(figures.file, 'evaluate', figures.command, resultFigures(results, settings.hasSuccess));
  io.stdout.write(`${resultTable({ candidates: [who], results, hasSuccess: settings.hasSuccess })}\n`);
}

/** `iq-learn evaluate`: lets policies drive the robot from fresh starts, through the policy node and the safety filter. */
export function evaluateCommand(io: Io): Command {
  return longCommand(
    'evaluate',
    'Deploy policies through the policy node and the safety filter, and measure them from fresh starts. Several drive in turn, in an order drawn at random, from the same starts.',
    [
      'iq-learn evaluate --policy runs/my-run/policy --robot rover',
      'iq-learn evaluate --policy runs/a/policy runs/b/policy --robot rover --episodes 50 --out runs/a-or-b',
    ],
  )
    .requiredOption('--policy <folders...>', 'the folders of one or several policy bundles')
    .requiredOption('--robot <name>', `${robotNames().join(', ')}, or the path of a RobotSpec`, robot)
    .option(
      '--episodes <n>',
      "number of fresh starts for each policy (default: the robot's setting)",
      integer('--episodes', 1, 100_000),
    )
    .option(
      '--out <folder>',
      'folder of trials.json and report.html; an evaluation that was interrupted is gone on with (default for several policies: runs/<robot>-trials-<date>; for one: none)',
    )
    .option('--blind', 'do not say which policy drives until the end')
    .addOption(seedOption())
    .addOption(jsonOption())
    .action(async (options: EvaluateOptions, made: Command) => {
      const { policy, robot: name, seed, json, out, blind } = options;
      if (policy.length === 1)
        refuseUnread(made, {
          name: 'one policy',
          found: `--policy ${policy[0]}`,
          options: ['--blind'],
          remedy: 'leave --blind out, or give several policies: of one, it is known which drives',
        });
      const spec = loadRobotSpec(name);
      const display = new Display(io.stderr, options);
      const settings = trainingSettings(spec.task);
      const session = { io, display, spec, settings, seed, logger: fileLogger(undefined, options) };
      const episodes = options.episodes ?? settings.evaluationEpisodes;
      const again = commandLine('evaluate', { policy, robot: name, episodes: options.episodes, out, blind, seed });
      const figures = { file: json, command: again };
      if (policy.length === 1 && out === undefined) await evaluateOne(session, policy[0]!, episodes, figures);
      else await evaluateSeveral(session, { policies: policy, trials: episodes, blind: blind === true, out, figures });
    });
}
