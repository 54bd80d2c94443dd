import { z } from 'zod';
import { IqLearnError } from '../../common/index.js';
import type { Metrics } from '../../learning/index.js';
import { header, type LearnerStatus, type MessageTypes, type Transition } from '../../messages/index.js';
import { unscaleAction } from '../../robot/index.js';
import type { LearningClient, LearningProgress, Segment } from '../../training/index.js';
import { type Publisher, qos } from '../../transport/index.js';
import { Lease } from '../kit/lease.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { SequenceTracker } from '../kit/sequence-tracker.js';
import { topics } from '../kit/topics.js';
import { RewardSampler } from './reward-sampler.js';

export const learnerSchema = z.strictObject({
  segmentSize: z
    .int()
    .min(1)
    .max(100_000)
    .default(64)
    .describe('Transitions a segment: learning takes them in this many at a time, and makes a new policy after each.'),
  maxSessions: z
    .int()
    .min(1)
    .max(10_000)
    .default(64)
    .describe('Senders of transitions that are remembered; the oldest is forgotten.'),
  saveOnShutdown: z.boolean().default(true).describe('Whether shutting down writes a checkpoint.'),
  learnFromInterventions: z
    .boolean()
    .default(false)
    .describe('What a person does when taking over counts as demonstration.')
    .meta({ dynamic: true }),
  recoveredRewardRateHz: z
    .number()
    .min(0)
    .max(10)
    .default(0)
    .describe(
      'How often a second the reward that the critic implies is told of the newest transition, at the cost of learning time; 0 never.',
    ),
});

export type LearnerParameters = z.input<typeof learnerSchema>;

const STATUS_PERIOD_MS = 1000;

interface Sender {
  readonly sequences: SequenceTracker;
  /** The segment its last transition belongs to. */
  segment: bigint;
}

/**
 * Feeds learning with the transitions on /transitions and publishes each new policy. Duplicates, other robots and bad
 * numbers are counted and go no further. Learning itself runs behind a {@link LearningClient}, never in this thread.
 * When it diverges or its process dies, no policy is published any more and the node reports a fault.
 */
export class LearnerNode extends LifecycleNode<typeof learnerSchema> {
  readonly #client: LearningClient;
  readonly #senders = new Map<string, Sender>();
  readonly #listeners: ((progress: LearningProgress) => void)[] = [];
  #policies!: Publisher<MessageTypes['iq_learn/msg/PolicyBundle']>;
  #statuses!: Publisher<MessageTypes['iq_learn/msg/LearnerStatus']>;
  #rewards: RewardSampler | undefined;
  #open: Transition[] = [];
  #latest: LearningProgress;
  #metrics: Metrics = {};
  #handedOver = 0;
  #learned = 0;
  #paused = false;
  #lease: Lease | undefined;
  #refused = 0;
  #foreign = 0;
  #updatesPerSecond = 0;

  constructor(context: NodeContext, client: LearningClient, parameters: LearnerParameters = {}) {
    super('learner', context, learnerSchema, parameters);
    this.#client = client;
    this.#latest = client.start;
  }

  /** The newest policy and where learning stands. */
  get progress(): LearningProgress {
    return this.#latest;
  }

  /** Tells of every segment that was learned from. */
  onProgress(listener: (progress: LearningProgress) => void): void {
    this.#listeners.push(listener);
  }

  protected override onConfigure(): void {
    const { transport } = this.context;
    this.#policies = this.own(transport.advertise(topics.policy, 'iq_learn/msg/PolicyBundle', qos.latched));
    const recovered = this.own(transport.advertise(topics.recoveredReward, 'iq_learn/msg/RecoveredReward', qos.event));
    if (this.parameters.recoveredRewardRateHz > 0)
      this.#rewards = this.own(
        new RewardSampler({
          spec: this.context.spec,
          client: this.#client,
          publish: (reward) => recovered.publish(reward),
          warn: (message) => this.context.logger.warn(message),
        }),
      );
    this.#statuses = this.own(transport.advertise(topics.learnerStatus, 'iq_learn/msg/LearnerStatus', qos.event));
    this.own(
      transport.subscribe(topics.transitions, 'iq_learn/msg/Transition', (message) => this.#take(message), qos.event),
    );
    this.own(
      transport.subscribe(
        topics.learnerStatus,
        'iq_learn/msg/LearnerStatus',
        (status) => this.#hearOther(status),
        qos.event,
      ),
    );
    this.serveTrigger('pause', () => this.#pause(true));
    this.serveTrigger('resume', () => this.#pause(false));
    this.serveTrigger('save', async () => `generation ${await this.#client.save()}`);
  }

  protected override onActivate(): void {
    this.#lease = new Lease('learner');
    this.#client.listen({
      progress: (progress) => this.#learnedFrom(progress),
      warning: (message) => this.context.logger.warn(message),
      failure: (error, restored) => {
        if (restored !== null) this.context.logger.warn('the learner went back to a checkpoint', { restored });
        this.fail(error);
      },
    });
    this.#publishPolicy();
    this.every(STATUS_PERIOD_MS, () => this.#publishStatus());
    const { recoveredRewardRateHz: rateHz } = this.parameters;
    if (rateHz > 0) this.every(1000 / rateHz, () => this.#sampleReward());
  }

  protected override async onShutdown(): Promise<void> {
    // What never learned anything must not put itself before the checkpoints of a run.
    const generation = await this.#client.stop(this.parameters.saveOnShutdown && this.#lease !== undefined);
    if (generation !== null) this.context.logger.info('checkpoint written', { generation });
  }

  protected diagnose(): Diagnosis {
    const { missing, duplicates } = this.#sums();
    return {
      level: missing > 0n ? diagnosticLevel.warn : diagnosticLevel.ok,
      message: missing > 0n ? `${missing} transitions are missing` : this.#paused ? 'paused' : 'learning',
      values: {
        policy_version: this.#latest.version,
        updates: this.#latest.updates,
        transitions: this.#latest.transitions,
        demonstrations: this.#latest.demonstrations,
        updates_per_second: this.#updatesPerSecond.toFixed(1),
        backlog: this.#backlog,
        missing,
        duplicates,
        refused: this.#refused,
        foreign: this.#foreign,
      },
    };
  }

  /** Transitions received that have not been learned from. */
  get #backlog(): number {
    return this.#open.length + this.#handedOver - this.#learned;
  }

  #sums(): { missing: bigint; duplicates: bigint } {
    let missing = 0n;
    let duplicates = 0n;
    for (const { sequences } of this.#senders.values()) {
      missing += sequences.missing;
      duplicates += sequences.duplicates;
    }
    return { missing, duplicates };
  }

  #pause(paused: boolean): string {
    this.#paused = paused;
    this.#client.pause(paused);
    return paused ? 'no updates are made; transitions are kept' : 'learning goes on';
  }

  /** Two learners for one robot: the one that came last teaches it (F35). */
  #hearOther({ robot, epoch }: LearnerStatus): void {
    const lease = this.#lease;
    if (lease === undefined || this.fault !== undefined || robot !== this.context.spec.robot) return;
    if (epoch === lease.epoch) return;
    if (epoch < lease.epoch) {
      if (lease.isNews(epoch))
        this.context.logger.error('another learner for this robot came before this one: it has to yield', {
          epoch: String(epoch),
        });
      return;
    }
    this.fail(
      new IqLearnError('CONFLICT', 'another learner teaches this robot', {
        found: `epoch ${epoch}`,
        expected: `none after epoch ${lease.epoch}`,
        remedy: 'end one of the two; this one publishes no policy any more',
      }),
    );
  }

  #take(transition: Transition): void {
    if (this.state !== 'active' || this.fault !== undefined) return;
    if (transition.robot !== this.context.spec.robot) {
      this.#foreign++;
      return;
    }
    const sender = this.#senderOf(transition);
    if (!sender.sequences.accept(transition.sequence)) return;
    if (!this.#isSound(transition)) {
      this.#refused++;
      this.context.logger.warn('a transition is refused', {
        session: transition.session,
        sequence: String(transition.sequence),
      });
      return;
    }
    // Segments are cut by sequence number: a sender that counts the same way knows what each policy has learned from,
    // even where a transition got lost.
    const size = BigInt(this.parameters.segmentSize);
    const segment = transition.sequence / size;
    if (segment > sender.segment) {
      this.#close();
      sender.segment = segment;
    }
    this.#open.push(transition);
    this.#rewards?.offer(transition);
    if ((transition.sequence + 1n) % size === 0n) {
      this.#close();
      sender.segment = segment + 1n;
    }
  }

  #senderOf({ session, sequence }: Transition): Sender {
    let sender = this.#senders.get(session);
    if (sender === undefined) {
      sender = { sequences: new SequenceTracker(), segment: sequence / BigInt(this.parameters.segmentSize) };
      this.#senders.set(session, sender);
      if (this.#senders.size > this.parameters.maxSessions) {
        const [oldest] = this.#senders.keys();
        this.#senders.delete(oldest!);
      }
    }
    return sender;
  }

  #isSound({ observation, action, next_observation }: Transition): boolean {
    const { spec } = this.context;
    return (
      observation.length === spec.observation.length &&
      next_observation.length === spec.observation.length &&
      action.length === spec.action.length &&
      [observation, action, next_observation].every((values) => values.every((value: number) => Number.isFinite(value)))
    );
  }

  /** Not of networks that diverged. */
  #sampleReward(): void {
    if (this.fault === undefined) this.#rewards?.sample();
  }

  #close(): void {
    if (this.#open.length === 0) return;
    const segment = segmentOf(this.#open, this.context.spec, this.parameters.learnFromInterventions);
    this.#handedOver += segment.length;
    this.#open = [];
    this.#client.learn(segment);
  }

  #learnedFrom(progress: LearningProgress): void {
    if (this.fault !== undefined || this.state === 'finalized') return;
    const bad = Object.entries(progress.metrics).find(([, value]) => !Number.isFinite(value));
    if (bad !== undefined) {
      this.fail(
        new IqLearnError('DIVERGED', 'learning diverged', {
          found: `${bad[0]} = ${bad[1]} after ${progress.updates} updates`,
          expected: 'finite numbers',
          remedy: 'go back to the last checkpoint; lower the learning rates or raise the temperature',
        }),
      );
      return;
    }
    const updates = progress.updates - this.#latest.updates;
    const before = this.#latest;
    this.#learned += progress.transitions - before.transitions + progress.demonstrations - before.demonstrations;
    this.#updatesPerSecond = progress.seconds > 0 ? updates / progress.seconds : 0;
    this.#latest = progress;
    this.#metrics = progress.metrics;
    if (this.state === 'active') this.#publishPolicy();
    for (const listener of this.#listeners) listener(progress);
  }

  #publishPolicy(): void {
    const { version, bundle } = this.#latest;
    const { spec } = this.context;
    const { epoch } = this.#lease!;
    this.#policies.publish({
      header: header(this.stampNow()),
      robot: spec.robot,
      epoch,
      version: BigInt(version),
      model: bundle.model,
      manifest: bundle.manifest,
    });
    this.#publishStatus();
  }

  #publishStatus(): void {
    const { version, updates, transitions, demonstrations } = this.#latest;
    this.#statuses.publish({
      header: header(this.stampNow()),
      robot: this.context.spec.robot,
      epoch: this.#lease!.epoch,
      updates: BigInt(updates),
      transitions: BigInt(transitions),
      demonstrations: BigInt(demonstrations),
      policy_version: BigInt(version),
      updates_per_second: this.#updatesPerSecond,
      backlog: this.#backlog,
      names: Object.keys(this.#metrics),
      values: Object.values(this.#metrics),
    });
  }
}

function segmentOf(transitions: readonly Transition[], spec: NodeContext['spec'], interventions: boolean): Segment {
  const [n, o, a] = [transitions.length, spec.observation.length, spec.action.length];
  const segment = {
    length: n,
    observations: new Float32Array(n * o),
    actions: new Float32Array(n * a),
    commands: new Float32Array(n * a),
    nextObservations: new Float32Array(n * o),
    terminated: new Uint8Array(n),
    ended: new Uint8Array(n),
    demonstrated: new Uint8Array(n),
  };
  transitions.forEach((transition, i) => {
    segment.observations.set(transition.observation, i * o);
    segment.actions.set(unscaleAction(transition.action, spec.action), i * a);
    segment.commands.set(transition.action, i * a);
    segment.nextObservations.set(transition.next_observation, i * o);
    segment.terminated[i] = transition.terminated ? 1 : 0;
    segment.demonstrated[i] = interventions && transition.intervention ? 1 : 0;
    segment.ended[i] = transition.terminated || transition.truncated ? 1 : 0;
  });
  return segment;
}
