import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { IqLearnError, mean } from '../../../common/index.js';
import { timestamp } from '../../../platform/index.js';
import { type EpisodeOutcome, TransportConductor, trainingSettings } from '../../../sessions/index.js';
import { type DemoRun, demonstrate, evaluate, learn } from '../demo-run.js';
import { program } from '../executable.js';
import { Peers } from '../peers.js';

const schema = z.strictObject({
  demonstrations: z.int().min(0).max(1000).default(0).describe("Episodes the expert shows; 0: the robot's own."),
  steps: z.int().min(0).max(10_000_000).default(0).describe("Own steps the policy learns from; 0: the robot's own."),
  episodes: z.int().min(0).max(10_000).default(0).describe("Fresh starts of the evaluation; 0: the robot's own."),
  warmStartUpdates: z
    .int()
    .min(-1)
    .max(1_000_000)
    .default(-1)
    .describe("Updates of behavioural cloning the policy starts from; -1: the robot's own."),
  seed: z.int().min(0).max(0xffffffff).default(0).describe('Of starts, networks and batches.'),
  run: z
    .string()
    .default('')
    .describe('A new folder for recording, checkpoint and policy; empty: runs/<robot>-<date>-<seed>.'),
});

function table(rows: readonly (readonly [string, readonly EpisodeOutcome[]])[], hasSuccess: boolean): string {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(8) : cell.padStart(10))).join('  ');
  const head = ['driver', ...(hasSuccess ? ['success'] : []), 'return', 'steps', 'episodes'];
  const body = rows.map(([name, outcomes]) => [
    name,
    ...(hasSuccess ? [`${Math.round(100 * mean(outcomes.map(({ success }) => Number(success))))} %`] : []),
    mean(outcomes.map((outcome) => outcome.return)).toFixed(2),
    mean(outcomes.map(({ length }) => length)).toFixed(1),
    String(outcomes.length),
  ]);
  return [head, ...body].map(line).join('\n');
}

/** runs/rover-20260102-030405-0 */
function newRun(given: string, robot: string, seed: number): string {
  const run = resolve(given === '' ? join('runs', `${robot}-${timestamp()}-${seed}`) : given);
  if (existsSync(run))
    throw new IqLearnError('CONFLICT', `the folder ${run} is there already`, { remedy: 'give another one as run' });
  return run;
}

export const demo = program({
  name: 'demo',
  summary: 'conducts the other five: demonstrate, learn, deploy; ends with a table and a policy',
  schema: () => schema,
  async run({ ros, spec, parameters, logger, signal }) {
    const { transport } = ros;
    const settings = trainingSettings(spec.task);
    const { seed, warmStartUpdates } = parameters;
    const steps = parameters.steps || settings.steps;
    const episodes = parameters.episodes || settings.evaluationEpisodes;
    const run = newRun(parameters.run, spec.robot, seed);
    const peers = new Peers(transport, signal);
    const conductor = new TransportConductor(transport, spec, (work) => peers.guard(work));
    const demo: DemoRun = { spec, transport, peers, conductor, logger, signal, settings, seed, run };
    try {
      await demonstrate(demo, parameters.demonstrations || settings.demonstrations);
      await learn(demo, steps, warmStartUpdates);
      const policy = join(run, 'policy');
      const learned = await evaluate(demo, 'policy', { source: 'policy', policy }, episodes);
      const shown = await evaluate(demo, 'expert', { source: 'teleop', policy: '' }, episodes);
      const rows = [
        ['expert', shown],
        ['policy', learned],
      ] as const;
      process.stdout.write(
        `\n${table(rows, settings.hasSuccess)}\n\npolicy: ${policy}\ndeploy: ros2 launch iq_learn deploy.launch.py robot:=${spec.robot} policy:=${policy}\n`,
      );
    } finally {
      conductor.close();
    }
    return 0;
  },
});
