import { z } from 'zod';
import { IqLearnError, parseOrThrow } from '../common/index.js';
import { type EpisodeCounts, type EpisodeHooks, services } from '../nodes/index.js';
import { join, kindOfPath, readJson, writeFileAtomic } from '../platform/index.js';
import { readBundle } from '../policy/index.js';
import { renderTrials, type TrialResult, type TrialsData, trialTable } from '../report/index.js';
import { checkContract, type RobotSpec } from '../robot/index.js';
import type { Transport } from '../transport/index.js';
import { policyLabels, trialOrder } from './trial-plan.js';

/** Loading a policy verifies it, which takes a while on a busy machine. */
const LOAD_MS = 60_000;

const schema = z.strictObject({
  format: z.literal('iq_learn trials 1'),
  robot: z.string(),
  description: z.string(),
  simulation: z.strictObject({ hasSuccess: z.boolean() }).optional(),
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
      episode: z
        .strictObject({
          seed: z.int(),
          return: z.number(),
          length: z.int().min(0),
          success: z.boolean(),
          terminated: z.boolean(),
        })
        .optional(),
    }),
  ),
});

export interface TrialsOptions {
  readonly spec: RobotSpec;
  /** Folders of the policies, on the machine of the policy node. */
  readonly policies: readonly string[];
  /** Trials of each. */
  readonly trials: number;
  readonly seed: number;
  /** Set where the robot is simulated. */
  readonly simulation?: TrialsData['simulation'];
  /** Nobody is told which policy drives. */
  readonly blind: boolean;
  /** Folder of trials.json and the report. */
  readonly folder: string;
}

/**
 * An evaluation of policies: which policy drives in which trial, and what came of it. Every trial is on the disk before
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
    const { spec, policies, trials, seed, folder, simulation } = options;
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
      ...(simulation === undefined ? {} : { simulation }),
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
      JSON.stringify([data.robot, data.trials, data.seed, data.policies.map(({ id }) => id), data.simulation ?? null]);
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

  /** Number of trials that there are already. */
  get done(): number {
    return this.#data.results.length;
  }

  /** What there is so far. */
  get data(): TrialsData {
    return this.#data;
  }

  /** Gives the policy node the policy whose turn it is; says which trial it is, and whose unless that is not to be known. */
  async begin(transport: Transport): Promise<string> {
    const { blind } = this.#options;
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
    return `trial ${this.done + 1} of ${this.wanted}${blind ? '' : `, policy ${label}`}`;
  }

  /** Keeps the result of the trial whose turn it is. */
  add(result: Omit<TrialResult, 'trial' | 'policy' | 'date'>, date: Date): void {
    const kept = { trial: this.done + 1, policy: this.#next, ...result, date: date.toISOString() };
    this.#keep([...this.#data.results, kept]);
  }

  /** What the supervisor does at the beginning and the end of each trial. `now` gives the date of a result. */
  hooks(transport: Transport, now: () => Date = () => new Date()): EpisodeHooks {
    return {
      begin: () => this.begin(transport),
      ended: ({ verdict, seconds, reason }, interventions) =>
        this.add({ verdict, interventions, seconds, reason }, now()),
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
    return this.#order[this.done]!;
  }

  #keep(results: TrialsData['results']): void {
    this.#data = { ...this.#data, results };
    writeFileAtomic(join(this.#options.folder, 'trials.json'), `${JSON.stringify(this.#data, null, 2)}\n`);
  }
}
