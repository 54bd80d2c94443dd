import { join } from 'node:path';
import { mean } from '../common/index.js';
import type { LearnerHost } from '../hosts/plain/index.js';
import { type MetricsSinkName, writeFileAtomic } from '../platform/index.js';
import { renderReport } from '../report/index.js';
import { runPlan } from '../training/index.js';
import { RunProgress } from './run-progress.js';
import type { Session } from './session.js';
import { trainingReport } from './train-report.js';

/** A fleet of more robots has no metrics of each in the log of the run: `/metrics` has them. */
const MOST_LOGGED = 100;

type FleetRobots = LearnerHost['fleet'];

/** What is logged of each robot of a fleet, by the robot's identity. */
export function fleetMetrics(robots: FleetRobots): Record<string, number> {
  const named: [string, number][] = [];
  const distances = robots.map(({ distance }) => distance).filter((distance) => !Number.isNaN(distance));
  if (distances.length > 0) named.push(['fleet/distance', mean(distances)]);
  named.push(['fleet/aside', robots.filter(({ aside }) => aside !== '').length]);
  if (robots.length <= MOST_LOGGED)
    for (const { robot, admitted, left_out, distance, mean_return } of robots) {
      named.push([`fleet/${robot}/transitions`, Number(admitted)], [`fleet/${robot}/left_out`, Number(left_out)]);
      if (!Number.isNaN(distance)) named.push([`fleet/${robot}/distance`, distance]);
      if (!Number.isNaN(mean_return)) named.push([`fleet/${robot}/return`, mean_return]);
    }
  return Object.fromEntries(named);
}

/** The metrics, the curves and the report of `iq-learn serve`, as `iq-learn train` has them. */
export class ServeRun {
  readonly #session: Session;
  readonly #host: LearnerHost;
  readonly #run: string;
  readonly #progress: RunProgress;
  readonly #startedMs = performance.now();

  /** Goes on with the curves of an earlier process where the learner goes on from its checkpoint. Throws IO. */
  constructor(session: Session, host: LearnerHost, run: string, sinks: readonly MetricsSinkName[]) {
    // A link does not say whether an episode succeeded.
    this.#session = { ...session, settings: { ...session.settings, hasSuccess: false } };
    this.#host = host;
    this.#run = run;
    const { transitions, version } = host.learner.progress;
    this.#progress = new RunProgress(this.#session, Number.POSITIVE_INFINITY, {
      checkpoint: join(run, 'checkpoint'),
      candidates: join(run, 'candidates'),
      curves: join(run, 'learning.json'),
      metrics: { folder: run, sinks },
      resume: version > 0,
    });
    this.#progress.begin(transitions);
    host.learner.onRollout(({ return: total, length }) =>
      this.#progress.rollout({
        seconds: this.#seconds,
        transitions: host.learner.progress.transitions,
        return: total,
        length,
        success: false,
      }),
    );
    host.learner.onProgress(({ transitions: steps, updates, metrics }) => {
      const all = { ...metrics, ...fleetMetrics(host.fleet) };
      this.#progress.learned({ seconds: this.#seconds, transitions: steps, updates, metrics: all });
    });
    host.learner.onSaved(() => this.#progress.save());
  }

  /** To be called when the learner has been shut down: writes the curves, and the report where something was learned. */
  finish(command: string): void {
    const { deployed: bundle, progress } = this.#host.learner;
    this.#progress.save();
    this.#progress.close();
    if (bundle === undefined || this.#progress.curves.points.length === 0) return;
    const { spec, settings, seed } = this.#session;
    const plan = {
      robot: spec.robot,
      recordings: [],
      reading: {},
      seed,
      segmentSize: settings.segmentSize,
      ...runPlan(settings),
      steps: progress.transitions,
    };
    const learned = { bundle, curves: this.#progress.curves, interrupted: false };
    const report = trainingReport(this.#session, plan, learned, command, new Date());
    writeFileAtomic(join(this.#run, 'learning.html'), renderReport(report));
  }

  get #seconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }
}
