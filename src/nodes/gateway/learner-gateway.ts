import { z } from 'zod';
import { messageOf, wallClockNs } from '../../common/index.js';
import {
  decodeRecorded,
  linkTopics,
  paceOf,
  type StreamBatch,
  type StreamPlace,
  StreamReceiver,
  type StreamRecord,
} from '../../link/index.js';
import type { PolicyBundleMessage, PolicyStatus, Transition } from '../../messages/index.js';
import { qos } from '../../transport/index.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { topics } from '../kit/topics.js';
import { askedFor, type LearnerGatewayParts, type RobotView } from './learner-gateway-parts.js';
import { LocalRecords } from './local-records.js';
import { PolicySender } from './policy-sender.js';
import { RowIntake } from './row-intake.js';

export const learnerGatewaySchema = z.strictObject({});

/** Of what a robot may have under way, the share that may arrive without saying so; less is announced with the next period. */
const QUIET_SHARE = 1 / 4;
/** Of the period of statuses, how far apart those of the learner are that a robot gets: the learner publishes more of them. */
const STATUS_SHARE = 0.9;
/** Records handed to the learner before it has taken them: fewer than its subscription holds. */
const TURN = 64;

/**
 * The learner's end of the link to one robot: takes the robot's stream and publishes it on the learner's own topics
 * ({@link LocalRecords}), signs the learner's policies and sends them, and answers questions for the time.
 */
export class LearnerGateway extends LifecycleNode<typeof learnerGatewaySchema> {
  readonly #parts: LearnerGatewayParts;
  readonly #pace: ReturnType<typeof paceOf>;
  #local!: LocalRecords;
  #receiver!: StreamReceiver;
  #sender!: PolicySender;
  readonly #rows: RowIntake | undefined;
  readonly #queue: { readonly batch: StreamBatch; readonly trace: string | undefined }[] = [];
  /** Of the batch that is taken now or was last. */
  #trace: string | undefined;
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
    this.#pace = parts.pace ?? paceOf(1);
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
    this.#local = this.#parts.local ?? this.own(new LocalRecords(this.context.transport));
    const positions = this.own(
      link.advertise(linkTopics.position.topic, 'iq_learn_link/msg/StreamPosition', qos.latched),
    );
    this.#receiver = new StreamReceiver({
      robot,
      ...(start && { start }),
      publish: (standing, again) =>
        positions.publish({ ...standing, ...askedFor(this.#pace, this.#parts.gate, again) }),
      deliver: (record, place) => this.#deliver(record, place),
      settle: () => this.#rows?.hand(),
      quietBytes: QUIET_SHARE * this.#pace.windowBytes,
    });
    this.own(
      link.subscribe(
        linkTopics.stream.topic,
        'iq_learn_link/msg/StreamBatch',
        (batch, { trace }) => {
          this.#seen();
          // The robot sends it again: it is not said that it has arrived.
          if (this.#parts.gate?.isFull === true) return;
          this.#queue.push({ batch, trace });
          this.#work();
        },
        qos.event,
      ),
    );
    this.#forward();
    this.#listen();
  }

  protected override onActivate(): void {
    this.#receiver.announce();
    this.every(this.#pace.statusMs, () => {
      this.#parts.gate?.look();
      this.#receiver.announce();
      this.#sender.pump();
    });
  }

  /** Says where the stream stands, and whether the robot is to go on sending; `again` where what was on its way is lost. */
  announce(again = false): void {
    if (this.state === 'active') this.#receiver.announce(again);
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
          if (now - this.#statusMs < STATUS_SHARE * this.#pace.statusMs) return;
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
        ({ robot, asked_ns }) => answers.publish({ robot, asked_ns, answered_ns: wallClockNs() }),
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

  /** Takes what has come, in its order: at once what is for the learner alone, all else in turns with the other gateways. */
  #work(): void {
    while (!this.#working && this.state !== 'finalized') {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#trace = next.trace;
      const { records } = next.batch;
      this.#rows?.expect(records.length);
      if (records.every((record) => this.#isForLearner(record))) this.#take(next.batch);
      else {
        this.#working = true;
        void this.#inTurns(next.batch).finally(() => {
          this.#working = false;
          this.#work();
        });
      }
    }
  }

  /**
   * Hands over a few records, and waits until everybody on their topics has taken them. How far the stream has come is
   * announced only then. So a learner that is behind holds the robot back, and loses nothing that its subscription could
   * not keep.
   */
  async #inTurns(batch: StreamBatch): Promise<void> {
    let { previous } = batch;
    for (let i = 0; i < batch.records.length; ) {
      if (this.state === 'finalized') return;
      const end = this.#endOfTurn(batch.records, i);
      const records = batch.records.slice(i, end);
      const part = { ...batch, previous, records };
      await this.#local.take(() => this.#take(part));
      previous = records.at(-1)!.sequence;
      i = end;
    }
  }

  /** Whether the learner takes the record itself, and it is not published. */
  #isForLearner({ topic }: StreamRecord): boolean {
    return this.#parts.learn !== undefined && topic === '/transitions';
  }

  /** Up to which record they can be handed over at once. */
  #endOfTurn(records: readonly StreamRecord[], from: number): number {
    let end = from;
    for (let published = 0; end < records.length && published < TURN; end++)
      if (!this.#isForLearner(records[end]!)) published++;
    return end;
  }

  #take(part: StreamBatch): void {
    this.#receiver.take(part);
    this.#parts.gate?.look();
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
      this.#local.publish(decoded.topic, decoded.message);
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
