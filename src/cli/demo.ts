import { join } from 'node:path';
import type { Command } from 'commander';
import { chooseDevice, type Device, type DeviceChoice } from '../engine/index.js';
import { LoopbackLink } from '../hosts/plain/index.js';
import { type MetricsSinkName, machine, versions, writeFileAtomic } from '../platform/index.js';
import { writeBundle } from '../policy/index.js';
import { candidateOf, type ReportData, randomCandidate, renderReport, type Setting } from '../report/index.js';
import { loadRobotSpec, robotNames } from '../robot/index.js';
import {
  type ExpertDriver,
  expertDriver,
  trainingSettings,
  usableDemonstrations,
  withSettingsFile,
} from '../sessions/index.js';
import { runPlan } from '../training/index.js';
import { resultOf } from './assess.js';
import { commandLine, type Io, longCommand, withDisplay } from './command.js';
import { evaluateAll } from './demo-evaluation.js';
import { interruptedDemo, leftByDemo, relativeTo } from './demo-remains.js';
import { Display } from './display.js';
import { type Figure, resultFigures, shownFigures, writeFigures } from './figures.js';
import { clone, type Learning, learn, type TrainingPlan } from './learning.js';
import {
  deviceOption,
  integer,
  jsonOption,
  logOption,
  nameOption,
  robot,
  seedOption,
  settingsOption,
} from './options.js';
import type { OutputOptions } from './output.js';
import { replaysOf, rewardTraces, topViewOf } from './report-data.js';
import {
  checkTarget,
  defaultName,
  interruptedWith,
  isCancelled,
  LOG,
  openRunFolder,
  type RunFolder,
} from './run-folder.js';
import { episodeMetrics } from './run-progress.js';
import { demonstrate, fileLogger, type Session } from './session.js';
import { resultTable } from './table.js';
import { choiceNotes, planSettings } from './train-report.js';

interface DemoOptions extends OutputOptions {
  readonly robot: string;
  readonly demonstrations?: number;
  readonly steps?: number;
  readonly episodes?: number;
  readonly expert?: string;
  readonly settings?: string;
  readonly seed: number;
  readonly link: boolean;
  readonly name?: string;
  readonly json?: string;
  readonly device: Device;
  readonly log: readonly MetricsSinkName[];
}

interface Outcome {
  readonly report: ReportData;
  readonly figures: readonly Figure[];
}

/** All settings that determine the run: those of the plan, of the expert and of the baseline. */
function shownSettings(session: Session, plan: TrainingPlan, driver: ExpertDriver): Setting[] {
  const [seed, robotAndRate, ...rest] = planSettings(session, plan);
  return [
    seed!,
    robotAndRate!,
    { name: 'expert', value: driver.name },
    ...rest,
    { name: 'cloning: updates', value: session.settings.cloning.updates ?? 5000 },
  ];
}

async function runDemo(
  session: Session,
  options: DemoOptions & { readonly choice: DeviceChoice },
  folder: RunFolder,
  driver: ExpertDriver,
  again: string,
): Promise<Outcome> {
  const { display, spec, settings, seed } = session;
  const started = performance.now();
  const recording = folder.file('recording');
  const shown = await demonstrate(session, driver, options.demonstrations ?? settings.demonstrations, recording);
  const demonstrations = await usableDemonstrations(spec, [recording], (text) => display.warn(text), {
    signal: session.io.interrupt.signal,
  });
  const plan: TrainingPlan = {
    robot: options.robot,
    recordings: [recording],
    reading: {},
    seed,
    segmentSize: settings.segmentSize,
    ...runPlan({ ...settings, steps: options.steps ?? settings.steps }),
  };
  folder.keep('training.json', `${JSON.stringify(plan, null, 2)}\n`);
  const link = options.link ? await openLoopback(session, folder) : undefined;
  const learning = await learn(session, plan, demonstrations, {
    ...(link && { link }),
    run: folder,
    checkpoint: folder.file('checkpoint'),
    candidates: folder.file('candidates'),
    curves: folder.file('learning.json'),
    metrics: { folder: folder.path, sinks: options.log },
    resume: false,
    device: options.choice,
  });
  try {
    writeBundle(folder.file('policy'), learning.bundle);
    if (learning.interrupted) throw interruptedDemo(options, folder);
    const cloned = await clone(session, demonstrations, plan.config);
    writeBundle(folder.file('behavioural-cloning'), cloned);
    const candidate = candidateOf(plan.config.agent);
    const { all: assessments, asShown } = await evaluateAll(session, options.episodes, folder, driver, candidate);
    const learned = assessments.find(({ who }) => who === candidate)?.outcomes ?? [];
    const steps = learning.curves.points.at(-1)?.transitions ?? 0;
    learning.metrics.evaluated(steps, learned.map(episodeMetrics(settings)));
    const drawn = assessments.filter(({ who }) => who !== randomCandidate);
    const report: ReportData = {
      format: 'iq_learn report 1',
      robot: spec.robot,
      description: spec.description,
      hasSuccess: settings.hasSuccess,
      date: new Date().toISOString(),
      seconds: 0,
      demonstrations: sizeOf(demonstrations, spec.rateHz),
      candidates: assessments.map(({ who }) => who),
      results: assessments.map(resultOf),
      ...(asShown.length === 0 ? {} : { asShown: asShown.map(resultOf) }),
      learning: learning.curves,
      rewards: await rewardTraces(learning.training, drawn.slice(0, 2)),
      topView: topViewOf(spec, drawn),
      replays: await replaysOf(spec, drawn),
      settings: shownSettings(session, plan, driver),
      versions: versions(),
      machine: machine(),
      command: again,
      notes: choiceNotes(spec, learning.curves),
    };
    display.close();
    const seconds = (performance.now() - started) / 1000;
    return { report: { ...report, seconds }, figures: speeds(learning, shown.seconds, seconds) };
  } finally {
    await learning.close();
  }
}

/** A broker with TLS and both ends of a link, on this machine. */
async function openLoopback({ spec, display, logger }: Session, folder: RunFolder): Promise<LoopbackLink> {
  const link = await LoopbackLink.open(spec, folder.file('link'), logger);
  display.say(`robot and learner are joined by ${link.url} only, with certificates of both ends`);
  return link;
}

function sizeOf(episodes: readonly { readonly length: number }[], rateHz: number): ReportData['demonstrations'] {
  const transitions = episodes.reduce((sum, { length }) => sum + length, 0);
  return { episodes: episodes.length, transitions, seconds: transitions / rateHz };
}

function speeds({ curves }: Learning, demonstrating: number, whole: number): Figure[] {
  const last = curves.points.at(-1);
  const learning = last?.seconds ?? 0;
  return [
    { name: 'seconds', value: whole, unit: 's', note: 'recording, learning, evaluation and report' },
    { name: 'seconds/demonstrating', value: demonstrating, unit: 's' },
    { name: 'seconds/learning', value: learning, unit: 's' },
    ...(last === undefined
      ? []
      : [
          {
            name: 'steps_per_second',
            value: last.transitions / learning,
            unit: '1/s',
            note: 'acting and learning together',
          },
        ]),
  ];
}

/** Runs the demo in a folder of its own, and prints its table and where its report is. */
async function demo(options: DemoOptions, io: Io): Promise<void> {
  const spec = loadRobotSpec(options.robot);
  const settings = withSettingsFile(trainingSettings(spec.task), options.settings);
  const choice = await chooseDevice(options.device);
  const driver = await expertDriver(spec, options.expert);
  if (options.json !== undefined) checkTarget(options.json);
  const folder = openRunFolder(join('runs', options.name ?? defaultName(spec.robot, options.seed)));
  const display = new Display(io.stderr, options);
  const { robot: name, demonstrations, steps, episodes, expert, settings: file, seed, link } = options;
  const device = options.device === 'auto' ? undefined : options.device;
  const given = { robot: name, demonstrations, steps, episodes, expert, settings: file, seed, device, link };
  const again = commandLine('demo', given);

  const session: Session = {
    io,
    display,
    spec,
    settings,
    seed,
    logger: fileLogger(folder.file(LOG), options),
  };
  try {
    const { report, figures } = await withDisplay(display, () =>
      runDemo(session, { ...options, choice }, folder, driver, again),
    );
    writeFileAtomic(folder.file('report.json'), `${JSON.stringify(report)}\n`);
    writeFileAtomic(folder.file('report.html'), renderReport(report));
    const all = [
      ...resultFigures(report.results, report.hasSuccess),
      ...shownFigures(report.asShown ?? []),
      ...figures,
    ];
    if (options.json !== undefined) writeFigures(options.json, 'demo', again, all);
    io.stdout.write(`\n${resultTable(report)}\n\n`);
    io.stdout.write(`report: ${relativeTo(folder.file('report.html'))}\nagain: ${again}\n`);
  } catch (error) {
    const left = leftByDemo(options.robot, folder, again);
    if (isCancelled(error)) folder.discard();
    throw interruptedWith(error, left);
  } finally {
    await driver.dispose();
    folder.close();
  }
}

/** `iq-learn demo`: records demonstrations, learns from them, evaluates the deployed policy and writes a report. */
export function demoCommand(io: Io): Command {
  return longCommand('demo', 'Record a few demonstrations, learn a policy from them, deploy it, and write a report.', [
    'iq-learn demo',
    'iq-learn demo --robot rover --seed 7',
    'iq-learn demo --headless --json figures.json',
    'iq-learn demo --link',
  ])
    .option('--robot <name>', `${robotNames().join(', ')}, or the path of a RobotSpec`, robot, 'hopper')
    .option(
      '--demonstrations <n>',
      "episodes the expert shows (default: the robot's own)",
      integer('--demonstrations', 1, 1000),
    )
    .option(
      '--steps <n>',
      "own steps of the policy while it learns (default: the robot's setting)",
      integer('--steps', 1, 10_000_000),
    )
    .option(
      '--episodes <n>',
      "fresh starts of the evaluation (default: the robot's own)",
      integer('--episodes', 1, 10_000),
    )
    .option(
      '--expert <folder>',
      'folder of a trained policy that demonstrates, for example one that iq-learn expert made',
    )
    .option('--link', 'robot and learner are joined over MQTT only, with a broker on this machine', false)
    .addOption(settingsOption())
    .addOption(seedOption())
    .addOption(nameOption())
    .addOption(jsonOption())
    .addOption(deviceOption())
    .addOption(logOption())
    .action((options: DemoOptions) => demo(options, io));
}
