import { IqLearnError, messageOf } from '../../common/index.js';
import type { Episode } from '../../learning/index.js';
import { header, type LearnerStatus, type MessageTypes, type Transition } from '../../messages/index.js';
import type { PolicyBundle } from '../../policy/index.js';
import type { LearningClient, LearningProgress, SessionState } from '../../training/index.js';
import { type Publisher, qos } from '../../transport/index.js';
import { Lease } from '../kit/lease.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { topics } from '../kit/topics.js';
import type { RobotSlice, TransitionPiece } from '../kit/transition-pieces.js';
import { type LearnerParameters, learnerSchema } from './parameters.js';
import { RewardSampler } from './reward-sampler.js';
import { type RolloutEpisode, Rollouts } from './rollouts.js';
import { segmentOf } from './segment.js';
import { learnerStatus } from './status.js';
import { TransitionIntake } from './transition-intake.js';

/** What a session stores with a segment of transitions: given are those that are messages, and all in their order. */
type SegmentState = (transitions: readonly Transition[], all: readonly TransitionPiece[]) => SessionState;

const STATUS_PERIOD_MS = 1000;

/**
 * Gives the transitions on /transitions to learning, segment by segment, and publishes each new policy. Learning itself
 * runs behind a {@link LearningClient}, never in this thread. When it diverges, or its process dies, the node reports a
 * fault and publishes no policy any more.
 */
export class LearnerNode extends LifecycleNode<typeof learnerSchema> {
  readonly #client: LearningClient;
  readonly #identity: string;
  readonly #intake: TransitionIntake;
  readonly #listeners: ((progress: LearningProgress) => void)[] = [];
  readonly #savedListeners: ((segments: number) => void)[] = [];
  readonly #rollouts = new Rollouts();
  readonly #rolloutListeners: ((episode: RolloutEpisode) => void)[] = [];
  readonly #transitionListeners: ((transition: Transition) => void)[] = [];
  #robotOf: ((transition: Transition) => string) | undefined;
  #sessionState: SegmentState | undefined;
  #policies!: Publisher<MessageTypes['iq_learn/msg/PolicyBundle']>;
  #statuses!: Publisher<MessageTypes['iq_learn/msg/LearnerStatus']>;
  #rewards: RewardSampler | undefined;
  #latest: LearningProgress;
  /** Transitions given to learning, and those that it has learned from. */
  #handedOver = 0;
  #learned = 0;
  #paused = false;
  #deployed: PolicyBundle | undefined;
  #lease: Lease | undefined;
  #updatesPerSecond = 0;

  /** `identity` tells two learners of one robot apart; it is in the frame_id of the status. */
  constructor(
    context: NodeContext,
    client: LearningClient,
    parameters: LearnerParameters = {},
    identity = `learner-${crypto.randomUUID()}`,
  ) {
    super('learner', context, learnerSchema, parameters);
    this.#client = client;
    this.#identity = identity;
    this.#latest = client.start;
    const { segmentSize, maxSessions } = this.parameters;
    this.#intake = new TransitionIntake({
      spec: context.spec,
      segmentSize,
      maxSessions,
      robotOf: (transition) => this.#robotOf?.(transition) ?? '',
      isFleet: () => this.#robotOf !== undefined,
      onSegment: (transitions, all) => this.#learn(transitions, all),
      onRefused: ({ session, sequence }) =>
        context.logger.warn('a transition is refused', { session, sequence: String(sequence) }),
    });
  }

  /** The newest policy and how far learning has come. */
  get progress(): LearningProgress {
    return this.#latest;
  }

  /** The policy to deploy as it was when the node was shut down; undefined before, and after a fault. */
  get deployed(): PolicyBundle | undefined {
    return this.#deployed;
  }

  /** Calls `listener` after every segment that was learned from. */
  onProgress(listener: (progress: LearningProgress) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls `listener` after every checkpoint, with the number of segments that it holds. */
  onSaved(listener: (segments: number) => void): void {
    this.#savedListeners.push(listener);
  }

  /** Calls `listener` for every whole episode that the policy drove, where the task gives rewards. */
  onRollout(listener: (episode: RolloutEpisode) => void): void {
    this.#rolloutListeners.push(listener);
  }

  /** Calls `listener` for every transition that came as a message and is learned from, in the order of their arrival. */
  onTransition(listener: (transition: Transition) => void): void {
    this.#transitionListeners.push(listener);
  }

  /** There is a fleet: `robotOf` names the robot that made a transition, and learning keeps those of each apart. */
  attribute(robotOf: (transition: Transition) => string): void {
    this.#robotOf = robotOf;
  }

  /** `state` gives, for the transitions of each segment, what checkpoints that hold the segment are to hold as well. */
  storeWithSegments(state: SegmentState): void {
    this.#sessionState = state;
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
    const status = 'iq_learn/msg/LearnerStatus';
    this.#statuses = this.own(transport.advertise(topics.learnerStatus, status, qos.event));
    this.own(
      transport.subscribe(topics.transitions, 'iq_learn/msg/Transition', (message) => this.take(message), qos.event),
    );
    this.own(transport.subscribe(topics.learnerStatus, status, (message) => this.#compare(message), qos.event));
    this.serveTrigger('pause', () => this.#pause(true));
    this.serveTrigger('resume', () => this.#pause(false));
    this.serveTrigger('save', async () => `generation ${await this.#client.save()}`);
  }

  protected override onActivate(): void {
    this.#lease = new Lease(this.#identity);
    this.#client.listen({
      progress: (progress) => this.#learnedFrom(progress),
      warning: (message) => this.context.logger.warn(message),
      saved: (segments) => {
        for (const listener of this.#savedListeners) listener(segments);
      },
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
    // A node that never was active has learned nothing: it must not write a newer checkpoint than the run's last.
    const learned = this.#lease !== undefined;
    if (learned && this.fault === undefined)
      this.#deployed = await this.#client.deployed().catch((error) => {
        this.context.logger.warn('the policy to deploy is lost', { reason: messageOf(error) });
        return undefined;
      });
    const generation = await this.#client.stop(this.parameters.saveOnShutdown && learned);
    if (generation !== null) this.context.logger.info('checkpoint written', { generation });
  }

  protected diagnose(): Diagnosis {
    const { missing, duplicates, refused, foreign } = this.#intake;
    return {
      level: missing > 0n ? diagnosticLevel.warn : diagnosticLevel.ok,
      message: missing > 0n ? `${missing} transitions are missing` : this.#paused ? 'paused' : 'learning',
      values: {
        policy_version: this.#latest.version,
        updates: this.#latest.updates,
        transitions: this.#latest.transitions,
        demonstrations: this.#latest.demonstrations,
        updates_per_second: this.#updatesPerSecond.toFixed(1),
        backlog: this.backlog,
        missing,
        duplicates,
        refused,
        foreign,
      },
    };
  }

  /** Transitions received that have not been learned from. */
  get backlog(): number {
    return this.#intake.open + this.#handedOver - this.#learned;
  }

  #pause(paused: boolean): string {
    this.#paused = paused;
    this.#client.pause(paused);
    return paused ? 'no updates are made; transitions are kept' : 'learning goes on';
  }

  /** Of two learners of one robot the one that was activated last teaches it, and this one yields. */
  #compare({ robot, epoch, header: { frame_id } }: LearnerStatus): void {
    const lease = this.#lease;
    const { spec, logger } = this.context;
    if (lease === undefined || this.fault !== undefined || robot !== spec.robot) return;
    if (!lease.yieldsTo(frame_id, epoch, 'learner', logger)) return;
    this.fail(
      new IqLearnError('CONFLICT', 'another learner teaches this robot', {
        found: `epoch ${epoch}`,
        expected: `none after epoch ${lease.epoch}`,
        remedy: 'end one of the two; this one publishes no policy any more',
      }),
    );
  }

  /** Takes a transition of whoever is in this process, as if it had come on the topic. */
  take(transition: Transition): void {
    if (this.state !== 'active' || this.fault !== undefined) return;
    if (!this.#intake.take(transition)) return;
    this.#rewards?.offer(transition);
    for (const listener of this.#transitionListeners) listener(transition);
    const episode = this.#rollouts.take(transition, this.#robotOf?.(transition));
    if (episode !== undefined) for (const listener of this.#rolloutListeners) listener(episode);
  }

  /** Has whole demonstrations learned from beside those that learning began with; their actions are in [−1, 1]. */
  demonstrate(demonstrations: readonly Episode[]): void {
    this.#handedOver += demonstrations.reduce((sum, { length }) => sum + length, 0);
    const nothing = segmentOf([], this.context.spec, false, this.#robotOf);
    this.#client.learn({ ...nothing, demonstrations }, this.#sessionState?.([], []));
  }

  /**
   * As {@link take}, of transitions in rows: those of one session of this robot whose sequence numbers follow on each
   * other, with finite numbers, as they are read from a link.
   */
  takeSlice(slice: RobotSlice): void {
    if (this.state !== 'active' || this.fault !== undefined) return;
    const { rows, robot } = slice;
    for (const { from, to } of this.#intake.takeSlice(slice)) {
      if (this.#rewards !== undefined) this.#rewards.offer(rows.message(to - 1));
      for (let row = from; row < to; row++) {
        const episode = this.#rollouts.takeRow(rows, row, robot);
        if (episode !== undefined) for (const listener of this.#rolloutListeners) listener(episode);
      }
    }
  }

  #learn(transitions: readonly Transition[], all: readonly TransitionPiece[]): void {
    const { learnFromInterventions } = this.parameters;
    const session = this.#sessionState?.(transitions, all);
    const segment = segmentOf(all, this.context.spec, learnFromInterventions, this.#robotOf);
    this.#handedOver += segment.length;
    this.#client.learn(segment, session);
  }

  /** After a fault the networks are not to be trusted, and neither is a reward that is recovered from them. */
  #sampleReward(): void {
    if (this.fault === undefined) this.#rewards?.sample();
  }

  #learnedFrom(progress: LearningProgress): void {
    if (this.fault !== undefined || this.state === 'finalized') return;
    const updates = progress.updates - this.#latest.updates;
    const { transitions, demonstrations } = this.#latest;
    this.#learned += progress.transitions - transitions + progress.demonstrations - demonstrations;
    this.#updatesPerSecond = progress.seconds > 0 ? updates / progress.seconds : 0;
    this.#latest = progress;
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
    const { robot } = this.context.spec;
    const head = { stampNs: this.stampNow(), identity: this.#identity, robot, epoch: this.#lease!.epoch };
    const now = { updatesPerSecond: this.#updatesPerSecond, backlog: this.backlog };
    this.#statuses.publish(learnerStatus(head, this.#latest, now));
  }
}
