import { join } from 'node:path';
import { IqLearnError } from '../common/index.js';
import type { DemonstrationEpisode } from '../demonstrations/index.js';
import { chooseDevice, type Device } from '../engine/index.js';
import { learnerConfig } from '../learning/index.js';
import { machine, versions, writeFileAtomic } from '../platform/index.js';
import { encodeBundle, writeBundle } from '../policy/index.js';
import { candidateOf, expertCandidate, type ReportData, renderReport } from '../report/index.js';
import { contractOf, loadRobotSpec, observationOf, type RobotSpec, robotNames } from '../robot/index.js';
import { learningEpisode, usableDemonstrations } from '../sessions/index.js';
import { learnOffline, type OfflineOutcome, type OfflineProgress } from '../training/index.js';
import { commandLine, type Io, withDisplay } from './command.js';
import { Display } from './display.js';
import { type ReadingOptions, readingOf } from './options.js';
import type { OutputOptions } from './output.js';
import { defaultName, openRunFolder } from './run-folder.js';

export interface TrainOfflineOptions extends OutputOptions, ReadingOptions {
  readonly recording?: readonly string[];
  readonly robot?: string;
  readonly out?: string;
  /** Gradient updates of each algorithm. */
  readonly steps?: number;
  readonly seed?: number;
  readonly device: Device;
}

const UPDATES = 10_000;
/** One of the two cores is left for the rest of the machine. */
const LEARNER_THREADS = 1;

/** What the numbers of a run without own steps cannot say. It stands in every report, in front of everything else. */
const CANNOT_KNOW = [
  'This policy was learned from the recording alone. It has never driven, and nothing here says how well it will drive.',
  'Small errors add up: the policy may reach states that nobody showed, and there its actions are guesses. Show recoveries from such states, drive it first with the e-stop in reach and the takeover ready, and at a low speed.',
  'The error on held-out demonstrations compares policies in states that the expert visited. A low one is necessary for good driving, and does not suffice.',
];

function missing(option: string, remedy: string): IqLearnError {
  return new IqLearnError('INVALID_ARGUMENT', 'a required option is missing', {
    found: 'a command without it',
    expected: option,
    remedy,
  });
}

const nameOf = (agent: string): string => (agent === 'cloning' ? 'behavioural cloning' : 'IQ-Learn');
const percent = (error: number): string => `${(50 * error).toFixed(1)} %`;

/** The comparison in words, one line a candidate. An error of 1 is half the range of an action. */
function comparison({ candidates, chosen, constantError, heldOut, heldOutSteps }: OfflineOutcome): string[] {
  return [
    ...candidates.map(
      ({ agent, error, updates }) =>
        `${nameOf(agent)}: error ${percent(error)} of an action's range on ${heldOutSteps} held-out steps, after ${updates} updates${agent === chosen.agent ? ' (taken, and learned again from all demonstrations)' : ''}`,
    ),
    `always the mean action: error ${percent(constantError)}`,
    ...(heldOut === 'episodes'
      ? []
      : ['only one demonstration: its end was held out, which looks like its beginning and flatters']),
    ...(chosen.error < 0.9 * constantError
      ? []
      : ['neither is clearly better than the mean action: the observation does not tell what the expert does']),
  ];
}

/**
 * `iq-learn train --offline`: from a recording alone, for robots without a simulator. Writes a policy that deploys like
 * any other, and a report that says what such a policy cannot promise.
 */
export async function trainOffline(options: TrainOfflineOptions, io: Io): Promise<void> {
  const { recording, robot, seed = 0, steps: updates = UPDATES } = options;
  if (recording === undefined) throw missing('--recording <path…>', 'record one: iq-learn record --robot rover');
  if (robot === undefined) throw missing('--robot <name>', `one of ${robotNames().join(', ')}`);
  const spec = loadRobotSpec(robot);
  const display = new Display(io.stderr, options);
  const { device, why } = await chooseDevice(options.device);
  const demonstrations = await usableDemonstrations(spec, recording, (text) => display.warn(text), {
    ...readingOf(options),
    signal: io.interrupt.signal,
    say: (text) => display.say(text),
  });
  const out = options.out ?? join('runs', defaultName(spec.robot, seed));
  const folder = openRunFolder(out);
  try {
    const started = performance.now();
    const measured: OfflineProgress[] = [];
    display.say(why);
    const outcome = await withDisplay(display, () =>
      learnOffline({
        episodes: demonstrations.map((episode) => learningEpisode(episode, spec)),
        observation: observationOf(spec),
        actionSize: spec.action.length,
        seed,
        updates,
        device,
        threads: LEARNER_THREADS,
        signal: io.interrupt.signal,
        onProgress: (progress) => {
          if (!progress.final) measured.push(progress);
          show(display, progress, updates);
        },
      }),
    );
    writeBundle(folder.file('policy'), await bundleOf(outcome, spec, demonstrations, seed));
    const again = commandLine('train', {
      offline: true,
      recording,
      robot,
      ...readingOf(options),
      out: options.out,
      steps: options.steps,
      seed,
    });
    const report = reportOf(outcome, spec, demonstrations, again, (performance.now() - started) / 1000);
    writeFileAtomic(folder.file('held-out.json'), `${JSON.stringify(measured)}\n`);
    writeFileAtomic(folder.file('learning.html'), renderReport(report));
    writeFileAtomic(folder.file('report.json'), `${JSON.stringify(report)}\n`);
    io.stdout.write(`${[...comparison(outcome), ...CANNOT_KNOW.slice(0, 1)].join('\n')}\n`);
    io.stdout.write(`policy: ${join(out, 'policy')}\nreport: ${join(out, 'learning.html')}\n`);
  } finally {
    folder.close();
  }
}

function show(display: Display, { agent, final, updates: done }: OfflineProgress, total: number): void {
  const phase = final ? `${nameOf(agent)}, all demonstrations` : nameOf(agent);
  display.show({ phase, done, total, unit: 'updates' });
}

function bundleOf(
  { policy, chosen, constantError, heldOutSteps }: OfflineOutcome,
  spec: RobotSpec,
  demonstrations: readonly DemonstrationEpisode[],
  seed: number,
) {
  return encodeBundle({
    policy,
    contract: contractOf(spec),
    version: chosen.updates,
    training: {
      algorithm: chosen.agent,
      offline: true,
      robot: spec.robot,
      seed,
      updates: chosen.updates,
      demonstrations: demonstrations.length,
      expert_transitions: demonstrations.reduce((sum, { length }) => sum + length, 0),
      held_out_steps: heldOutSteps,
      held_out_error: chosen.error,
      constant_error: constantError,
    },
  });
}

function reportOf(
  outcome: OfflineOutcome,
  spec: RobotSpec,
  demonstrations: readonly DemonstrationEpisode[],
  command: string,
  seconds: number,
): ReportData {
  const transitions = demonstrations.reduce((sum, { length }) => sum + length, 0);
  const { learner } = outcome;
  const standard = learnerConfig({ agent: learner.agent } as typeof learner) as Readonly<Record<string, unknown>>;
  const changed = Object.entries(learner).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(standard[name]),
  );
  return {
    format: 'iq_learn report 1',
    robot: spec.robot,
    description: spec.description,
    hasSuccess: false,
    date: new Date().toISOString(),
    seconds,
    demonstrations: { episodes: demonstrations.length, transitions, seconds: transitions / spec.rateHz },
    candidates: [expertCandidate, candidateOf(outcome.chosen.agent)],
    results: [],
    learning: { points: [], rollouts: [] },
    rewards: [],
    topView: null,
    replays: [],
    settings: [
      { name: 'learned', value: 'offline, from the recording alone' },
      { name: 'agent', value: learner.agent },
      ...changed.map(([name, value]) => ({ name, value: String(value) })),
    ],
    versions: versions(),
    machine: machine(),
    command,
    notes: [...CANNOT_KNOW, ...comparison(outcome)],
  };
}
