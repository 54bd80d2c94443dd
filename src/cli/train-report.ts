import { learnerConfig } from '../learning/index.js';
import { machine, versions } from '../platform/index.js';
import type { PolicyBundle } from '../policy/index.js';
import { candidateOf, expertCandidate, type LearningCurves, type ReportData, type Setting } from '../report/index.js';
import { observationOf, type RobotSpec } from '../robot/index.js';
import { notCompared } from '../training/index.js';
import type { TrainingPlan } from './learning.js';
import type { Session } from './session.js';

/** Settings of the agent that every report shows, whether they are the defaults or not. */
const ALWAYS = ['agent', 'critics', 'divergence', 'regMult', 'valueTerm', 'temperature'];

/** A name in camelCase as separate words. */
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** All that determines a run: seed, robot, the plan, and every setting of the agent that is not its default. */
export function planSettings({ spec, seed }: Pick<Session, 'spec' | 'seed'>, plan: TrainingPlan): Setting[] {
  const standard = new Map<string, unknown>(Object.entries(learnerConfig({ agent: plan.config.agent })));
  const config = Object.entries(plan.config);
  const always = config.filter(([name]) => ALWAYS.includes(name));
  const changed = config.filter(
    ([name, value]) => !ALWAYS.includes(name) && JSON.stringify(value) !== JSON.stringify(standard.get(name)),
  );
  return [
    { name: 'seed', value: seed },
    { name: 'robot', value: `${spec.robot}, ${spec.rateHz} Hz` },
    { name: 'own steps', value: plan.steps },
    { name: 'steps between policies', value: plan.segmentSize },
    { name: 'updates per step', value: plan.updatesPerTransition },
    ...[...always, ...changed].map(([name, value]) => ({ name: words(name), value: String(value) })),
  ];
}

/** How much was demonstrated. It comes from the policy's manifest, because a resumed run reads no recordings. */
function demonstrationsOf({ manifest }: PolicyBundle, rateHz: number): ReportData['demonstrations'] {
  const { training } = JSON.parse(manifest) as { training: Readonly<Record<string, unknown>> };
  const number = (name: string): number => (typeof training[name] === 'number' ? training[name] : 0);
  const transitions = number('expert_transitions');
  return { episodes: number('demonstrations'), transitions, seconds: transitions / rateHz };
}

/** What is to be known of the choice of the deployed policy, where there was one. */
export function choiceNotes(spec: RobotSpec, { choice }: LearningCurves): string[] {
  const unseen = choice === undefined || choice.length === 0 ? null : notCompared(observationOf(spec));
  return unseen === null ? [] : [`${unseen[0]!.toUpperCase()}${unseen.slice(1)}.`];
}

/** The report of `iq-learn train`: how it learned. Nothing was evaluated, so it compares no policies. */
export function trainingReport(
  session: Session,
  plan: TrainingPlan,
  learned: { readonly bundle: PolicyBundle; readonly curves: LearningCurves; readonly interrupted: boolean },
  command: string,
  date: Date,
): ReportData {
  const { spec, settings } = session;
  return {
    format: 'iq_learn report 1',
    robot: spec.robot,
    description: spec.description,
    hasSuccess: settings.hasSuccess,
    date: date.toISOString(),
    seconds: learned.curves.points.at(-1)?.seconds ?? 0,
    demonstrations: demonstrationsOf(learned.bundle, spec.rateHz),
    candidates: [expertCandidate, candidateOf(plan.config.agent)],
    results: [],
    learning: learned.curves,
    rewards: [],
    topView: null,
    replays: [],
    settings: planSettings(session, plan),
    versions: versions(),
    machine: machine(),
    command,
    notes: [
      ...(learned.interrupted ? ['The run was interrupted before its last step; it can be resumed.'] : []),
      ...choiceNotes(spec, learned.curves),
    ],
  };
}
