import { z } from 'zod';
import { messageOf } from '../../common/index.js';
import {
  decodeRecorded,
  linkTopics,
  type StreamBatch,
  type StreamPlace,
  StreamReceiver,
  type StreamRecord,
  type StreamTopic,
  streamTopics,
} from '../../link/index.js';
import type { PolicyBundleMessage, PolicyStatus, Transition } from '../../messages/index.js';
import { type Publisher, qos } from '../../transport/index.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { topics } from '../kit/topics.js';
import type { LearnerGatewayParts, RobotView } from './learner-gateway-parts.js';
import { PolicySender } from './policy-sender.js';
import { RowIntake } from './row-intake.js';
import { Turns } from './turns.js';

export const learnerGatewaySchema = z.strictObject({});

const ANNOUNCE_PERIOD_MS = 1000;
/** Of the 1 MB that a robot has under way at most; less is announced with the next period. */
const QUIET_BYTES = 64 * 1024;
/** Statuses of the learner, which publishes one with every policy, that a robot gets are this far apart at least. */
const STATUS_PERIOD_MS = 900;
/** Records handed to the learner before it has taken them: fewer than its subscription holds. */
const TURN = 64;
/** The longest that is waited until a record that was published comes back on its topic, in milliseconds. */
const ECHO_MS = 10_000;

/**
 * The learner's end of the link to one robot: takes the robot's stream and publishes it on the learner's own topics, signs
 * the learner's policies and sends them, and answers questions for the time.
 *
 * The learner's own topics are within this process (the embedded transport): a record counts as taken when the same object
 * has come back on its topic.
 */
export class LearnerGateway extends LifecycleNode<typeof learnerGatewaySchema> {
  readonly #parts: LearnerGatewayParts;
  readonly #publishers = new Map<StreamTopic, Publisher<never>>();
  #receiver!: StreamReceiver;
  #sender!: PolicySender;
  readonly #rows: RowIntake | undefined;
  readonly #queue: StreamBatch[] = [];
  /** Traces of the batches in the queue, and that of the one which is taken now or was last. */
  readonly #traces = new WeakMap<StreamBatch, string>();
  #trace: string | undefined;
  readonly #turns: Turns;
  /** Messages published on the learner's topics that have not come back from there. */
  readonly #underWay = new Set<object>();
  #allBack: (() => void) | undefined;
  #working = false;
  #refused = 0;
  #presence = '';
  #seenMs = 0;
  #statusMs = Number.NEGATIVE_INFINITY;
  #gateway: RobotView['gateway'];
  #policy: PolicyStatus | undefined;

  constructor(context: NodeContext, parts: LearnerGatewayParts) {
    super('gateway', context, learnerGatewaySchema, {});
    this.#parts = parts;
    if (parts.rows !== undefined)
      this.#rows = new RowIntake(parts.rows.shape, parts.rows.take, (error) => this.#refuse(error));
    this.#turns = parts.turns ?? new Turns();
  }

  get view(): RobotView {
    const { records, repeated } = this.#receiver.counts;
    return {
      robot: this.#parts.robot,
      presence: this.#presence,
      seenMs: this.#seenMs,
      gateway: this.#gateway,
      policy: this.#policy,
      records,
      repeated,
      refused: this.#refused,
      trace: this.#trace,
    };
  }

  /** Sends a policy to the robot, when the one before has arrived there. */
  send(policy: PolicyBundleMessage): void {
    this.#sender.send(policy);
  }

  /** A checkpoint of the learner holds everything of the stream up to this place. */
  confirm(place: StreamPlace): void {
    this.#receiver.confirm(place);
  }

  protected override onConfigure(): void {
    const { link, robot, start } = this.#parts;
    const { transport } = this.context;
    for (const topic of Object.keys(streamTopics) as StreamTopic[]) {
      this.#publishers.set(topic, this.own(transport.advertise(topic, streamTopics[topic], qos.event)) as never);
      this.own(transport.subscribe(topic, streamTopics[topic], (message) => this.#back(message), qos.event));
    }
    const positions = this.own(
      link.advertise(linkTopics.position.topic, 'iq_learn_link/msg/StreamPosition', qos.latched),
    );
    this.#receiver = new StreamReceiver({
      robot,
      ...(start && { start }),
      publish: (position) => positions.publish(position),
      deliver: (record, place) => this.#deliver(record, place),
      settle: () => this.#rows?.hand(),
      quietBytes: QUIET_BYTES,
    });
    this.own(
      link.subscribe(
        linkTopics.stream.topic,
        'iq_learn_link/msg/StreamBatch',
        (batch, { trace }) => {
          this.#seen();
          if (trace !== undefined) this.#traces.set(batch, trace);
          this.#queue.push(batch);
          void this.#work();
        },
        qos.event,
      ),
    );
    this.#forward();
    this.#listen();
  }

  protected override onActivate(): void {
    this.#receiver.announce();
    this.every(ANNOUNCE_PERIOD_MS, () => {
      this.#receiver.announce();
      this.#sender.pump();
    });
  }

  protected diagnose(): Diagnosis {
    return {
      level: this.#refused > 0 ? diagnosticLevel.warn : diagnosticLevel.ok,
      message: this.#presence === '' ? 'the robot was never there' : this.#presence,
      values: { ...this.#receiver.counts, refused: this.#refused },
    };
  }

  #forward(): void {
    const { link, signer, sendsWhenAsked } = this.#parts;
    const { transport } = this.context;
    const policies = this.own(link.advertise(linkTopics.policy.topic, 'iq_learn_link/msg/SignedPolicy', qos.latched));
    // What the robot's newest data have led to goes on with their trace.
    const publish = (policy: PolicyBundleMessage): void => policies.publish(signer.sign(policy), this.#trace);
    this.#sender = new PolicySender(publish, () => Number(this.context.clock.nowNs()) / 1e6);
    if (sendsWhenAsked !== true)
      this.own(transport.subscribe(topics.policy, 'iq_learn/msg/PolicyBundle', publish, { ...qos.latched, depth: 10 }));
    const statuses = this.own(link.advertise(linkTopics.learnerStatus.topic, 'iq_learn/msg/LearnerStatus', qos.sensor));
    this.own(
      transport.subscribe(
        topics.learnerStatus,
        'iq_learn/msg/LearnerStatus',
        (status) => {
          const now = Number(this.context.clock.nowNs()) / 1e6;
          if (now - this.#statusMs < STATUS_PERIOD_MS) return;
          this.#statusMs = now;
          statuses.publish(status);
        },
        qos.event,
      ),
    );
    const answers = this.own(link.advertise(linkTopics.clockAnswer.topic, 'iq_learn_link/msg/ClockProbe', qos.sensor));
    this.own(
      link.subscribe(
        linkTopics.clockQuestion.topic,
        'iq_learn_link/msg/ClockProbe',
        ({ robot, asked_ns }) => answers.publish({ robot, asked_ns, answered_ns: BigInt(Date.now()) * 1_000_000n }),
        qos.sensor,
      ),
    );
  }

  #listen(): void {
    const { link } = this.#parts;
    this.own(
      link.subscribe(
        linkTopics.gatewayStatus.topic,
        'iq_learn_link/msg/GatewayStatus',
        (status) => {
          this.#seen();
          this.#gateway = status;
          this.#sender.has(status.policy_version);
        },
        qos.sensor,
      ),
    );
    this.own(
      link.subscribe(
        linkTopics.policyStatus.topic,
        'iq_learn/msg/PolicyStatus',
        (status) => {
          this.#policy = status;
        },
        qos.sensor,
      ),
    );
    this.own(
      link.subscribe(
        linkTopics.presence.topic,
        'iq_learn_link/msg/Presence',
        ({ state }) => {
          if (state !== this.#presence) this.context.logger.info(`${this.#parts.robot} is ${state}`);
          this.#presence = state;
        },
        qos.latched,
      ),
    );
  }

  #seen(): void {
    this.#seenMs = Date.now();
  }

  /**
   * Hands over a few records, and waits until they have come back on their topics: then the learner, which subscribes to
   * them as well, has taken them. How far the stream has come is announced only then. So a learner that is behind holds the
   * robot back, and loses nothing that its subscription could not keep.
   */
  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    for (let batch = this.#queue.shift(); batch !== undefined; batch = this.#queue.shift()) {
      let { previous } = batch;
      this.#trace = this.#traces.get(batch);
      this.#rows?.expect(batch.records.length);
      for (let i = 0; i < Math.max(1, batch.records.length); ) {
        if (this.state === 'finalized') return;
        const end = this.#endOfTurn(batch.records, i);
        const records = i === 0 && end === batch.records.length ? batch.records : batch.records.slice(i, end);
        const part = { ...batch, previous, records };
        await this.#turns.take(() => this.#handOver(part));
        previous = records.at(-1)?.sequence ?? previous;
        i = Math.max(end, 1);
      }
    }
    this.#working = false;
  }

  /** Up to which record they can be handed over at once: those that the learner takes itself need not come back. */
  #endOfTurn(records: readonly StreamRecord[], from: number): number {
    const { learn } = this.#parts;
    let end = from;
    for (let published = 0; end < records.length && published < TURN; end++)
      if (learn === undefined || records[end]!.topic !== '/transitions') published++;
    return end;
  }

  async #handOver(part: StreamBatch): Promise<void> {
    this.#receiver.take(part);
    if (this.#underWay.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#allBack = resolve;
      timer = setTimeout(resolve, ECHO_MS);
    });
    clearTimeout(timer);
    this.#underWay.clear();
  }

  #back(message: object): void {
    if (this.#underWay.delete(message) && this.#underWay.size === 0) this.#allBack?.();
  }

  #deliver({ topic, payload }: StreamRecord, place: StreamPlace): void {
    if (topic === '/transitions' && this.#rows?.take(payload, place) === true) return;
    // What came before in rows goes first.
    this.#rows?.hand();
    try {
      const decoded = decodeRecorded(topic, payload);
      if (decoded.topic === '/transitions') {
        const transition = decoded.message as Transition;
        if (this.#parts.admits?.(transition, place) === false) return;
        this.#parts.onTransition?.(transition, place);
        if (this.#parts.learn !== undefined) {
          this.#parts.learn(transition);
          return;
        }
      }
      this.#underWay.add(decoded.message);
      this.#publishers.get(decoded.topic)!.publish(decoded.message as never);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown): void {
    this.#refused += 1;
    const { robot } = this.#parts;
    this.context.logger.error(`a record of ${robot} is refused: ${messageOf(error)}`, { trace: this.#trace });
  }
}
