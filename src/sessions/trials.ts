import { z } from 'zod';
import { IqLearnError, parseOrThrow } from '../common/index.js';
import { type EndedEpisode, type EpisodeCounts, type EpisodeHooks, services } from '../nodes/index.js';
import { join, kindOfPath, readJson, writeFileAtomic } from '../platform/index.js';
import { readBundle } from '../policy/index.js';
import { renderTrials, type TrialsData, trialTable } from '../report/index.js';
import { checkContract, type RobotSpec } from '../robot/index.js';
import type { Transport } from '../transport/index.js';
import { policyLabels, trialOrder } from './trial-plan.js';

/** Loading a policy verifies it, which takes a while on a busy machine. */
const LOAD_MS = 60_000;

const schema = z.strictObject({
  format: z.literal('iq_learn trials 1'),
  robot: z.string(),
  description: z.string(),
  trials: z.int().min(1),
  seed: z.int().min(0),
  policies: z.array(z.strictObject({ label: z.string(), folder: z.string(), id: z.string() })).min(1),
  results: z.array(
    z.strictObject({
      trial: z.int().min(1),
      policy: z.string(),
      verdict: z.enum(['success', 'failure', 'unknown']),
      interventions: z.int().min(0),
      seconds: z.number().min(0),
      reason: z.string(),
      date: z.string(),
    }),
  ),
});

export interface TrialsOptions {
  readonly spec: RobotSpec;
  readonly transport: Transport;
  /** Folders of the policies, on the machine of the policy node. */
  readonly policies: readonly string[];
  /** Trials of each. */
  readonly trials: number;
  readonly seed: number;
  /** The person is not told which policy drives. */
  readonly blind: boolean;
  /** Folder of trials.json and the report. */
  readonly folder: string;
}

/**
 * An evaluation on a robot: which policy drives in which trial, and what came of it. Every trial is on the disk before
 * the next begins; an evaluation with the same policies, trials and seed goes on in the same folder.
 */
export class Trials {
  readonly #options: TrialsOptions;
  readonly #order: readonly string[];
  #data: TrialsData;

  private constructor(options: TrialsOptions, data: TrialsData) {
    this.#options = options;
    this.#data = data;
    this.#order = trialOrder(
      data.policies.map(({ label }) => label),
      data.trials,
      data.seed,
    );
  }

  /**
   * Reads the policies, and the trials that are there already. Throws what reading a policy throws, MISMATCH for one of
   * another robot, and CONFLICT where the folder holds another evaluation.
   */
  static async open(options: TrialsOptions): Promise<Trials> {
    const { spec, policies, trials, seed, folder } = options;
    const labels = policyLabels(policies);
    const described: TrialsData['policies'][number][] = [];
    for (const [i, path] of policies.entries()) {
      const runtime = await readBundle(path);
      await runtime.dispose();
      checkContract(runtime.contract, spec);
      described.push({ label: labels[i]!, folder: path, id: runtime.id });
    }
    const fresh: TrialsData = {
      format: 'iq_learn trials 1',
      robot: spec.robot,
      description: spec.description,
      trials,
      seed,
      policies: described,
      results: [],
    };
    const file = join(folder, 'trials.json');
    if (kindOfPath(file) === null) return new Trials(options, fresh);
    const remedy = 'choose another folder';
    const content = readJson(file, { what: 'cannot be read', remedy });
    const found = parseOrThrow(schema, content, { what: `${file} cannot be read`, remedy });
    const plan = (data: TrialsData): string =>
      JSON.stringify([data.robot, data.trials, data.seed, data.policies.map(({ id }) => id)]);
    if (plan(found) !== plan(fresh))
      throw new IqLearnError('CONFLICT', `another evaluation is in ${folder}`, {
        found: `${found.trials} trials of ${found.policies.map(({ id }) => id).join(', ')} with seed ${found.seed}`,
        expected: `${trials} trials of ${described.map(({ id }) => id).join(', ')} with seed ${seed}`,
        remedy: 'give another folder as out, or the same policies, trials and seed to go on',
      });
    return new Trials(options, found);
  }

  /** Number of trials in all. */
  get wanted(): number {
    return this.#order.length;
  }

  /** What an earlier part of the evaluation has brought. */
  get counts(): EpisodeCounts {
    const of = (wanted: string): number => this.#data.results.filter(({ verdict }) => verdict === wanted).length;
    return { success: of('success'), failure: of('failure'), unknown: of('unknown'), discarded: 0 };
  }

  get table(): string {
    return trialTable(this.#data);
  }

  /** What the supervisor does at the beginning and the end of each trial. `now` gives the date of a result. */
  hooks(now: () => Date = () => new Date()): EpisodeHooks {
    return {
      begin: async () => {
        const { transport, blind } = this.#options;
        const label = this.#next;
        const { folder: path } = this.#data.policies.find((policy) => policy.label === label)!;
        const { success, message } = await transport.call(
          services.loadPolicy,
          'iq_learn/srv/LoadPolicy',
          { path },
          { timeoutMs: LOAD_MS },
        );
        if (!success)
          throw new IqLearnError('CONFLICT', `the policy node refuses ${blind ? 'the policy' : label}`, {
            found: message,
            remedy: 'the folder must be there on the machine of the policy node',
          });
        return `trial ${this.#data.results.length + 1} of ${this.wanted}${blind ? '' : `, policy ${label}`}`;
      },
      ended: (episode, interventions) => this.#add(episode, interventions, now()),
      discarded: (_, wasRunning) => {
        if (!wasRunning) this.#keep(this.#data.results.slice(0, -1));
      },
    };
  }

  /** Writes the report; gives its path. */
  report(date: Date): string {
    const file = join(this.#options.folder, 'report.html');
    writeFileAtomic(file, renderTrials(this.#data, date));
    return file;
  }

  get #next(): string {
    return this.#order[this.#data.results.length]!;
  }

  #add({ verdict, seconds, reason }: EndedEpisode, interventions: number, date: Date): void {
    const { length } = this.#data.results;
    const result = { trial: length + 1, policy: this.#next, verdict, interventions, seconds, reason };
    this.#keep([...this.#data.results, { ...result, date: date.toISOString() }]);
  }

  #keep(results: TrialsData['results']): void {
    this.#data = { ...this.#data, results };
    writeFileAtomic(join(this.#options.folder, 'trials.json'), `${JSON.stringify(this.#data, null, 2)}\n`);
  }
}
