import { z } from 'zod';
import { messageOf } from '../../common/index.js';
import type { RecordClass } from '../../link/index.js';
import {
  ClockOffset,
  classOf,
  encodeRecorded,
  linkTopics,
  type PolicyVerifier,
  type RecordingFigures,
  type SignedPolicy,
  type SpoolFigures,
  StreamSender,
  type StreamSource,
  type StreamTopic,
  streamTopics,
} from '../../link/index.js';
import type { MessageTypes } from '../../messages/index.js';
import { type Publisher, qos, type Transport } from '../../transport/index.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { topics } from '../kit/topics.js';

export const robotGatewaySchema = z.strictObject({
  onLost: z
    .enum(['continue', 'stop'])
    .default('continue')
    .describe(
      'When the learner is not heard of: `continue` goes on with the last policy; `stop` pauses the policy node, until a person resumes it.',
    ),
  lostAfterMs: z
    .number()
    .min(1000)
    .default(10_000)
    .describe('Silence of the learner after which it counts as lost, in milliseconds.'),
  megabytesPerSecond: z
    .number()
    .positive()
    .max(1000)
    .default(4)
    .describe('Most that the stream sends per second: what gathered in a partition leaves room for what is live.'),
  gatherMs: z
    .number()
    .min(0)
    .max(10_000)
    .default(200)
    .describe(
      'For how long records are gathered into one message, in milliseconds: every message costs the broker and the learner.',
    ),
});

export type RobotGatewayParameters = z.input<typeof robotGatewaySchema>;

/** What a gateway needs beside its node's context, whose transport is the robot's own. */
export interface RobotGatewayParts {
  /** The robot's identity in its fleet. */
  readonly robot: string;
  /** Topics of this robot over the link. */
  readonly link: Transport;
  readonly spool: StreamSource & {
    append(kind: RecordClass, topic: string, payload: Uint8Array): void;
    readonly figures: SpoolFigures;
  };
  readonly verifier: Pick<PolicyVerifier, 'open'>;
  /** Sends the robot's recordings as files, while nothing of the stream waits. */
  readonly recordings?: {
    pump(mayTakeSpace: boolean): void;
    resume(): void;
    readonly figures: RecordingFigures;
  };
  /** Whether the link is there now; always if not given. */
  readonly isLinked?: () => boolean;
  /** Calls the listener whenever the link was made again. */
  readonly onLinked?: (listener: () => void) => void;
}

const STATUS_PERIOD_MS = 1000;
const PUMP_PERIOD_MS = 50;
const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

/**
 * The robot's end of a link: joins the robot's own topics with a learner elsewhere. What must not get lost (transitions,
 * interventions, episode events) goes through the spool; policies come back, are checked for their signature, and are
 * published on the robot's policy topic, where the policy node checks them as any other. Commands, takeover and e-stop do
 * not pass here.
 */
export class RobotGateway extends LifecycleNode<typeof robotGatewaySchema> {
  readonly #parts: RobotGatewayParts;
  readonly #offset = new ClockOffset();
  #sender!: StreamSender;
  #policies!: Publisher<MessageTypes['iq_learn/msg/PolicyBundle']>;
  #statuses!: Publisher<MessageTypes['iq_learn_link/msg/GatewayStatus']>;
  #questions!: Publisher<MessageTypes['iq_learn_link/msg/ClockProbe']>;
  #policyVersion = -1n;
  #refused = 0;
  #written = 0;
  #writtenBefore = 0;
  #recordsPerSecond = 0;
  #confirmed = 0n;
  #heardMs: number | undefined;
  #lost = false;

  constructor(context: NodeContext, parts: RobotGatewayParts, parameters: RobotGatewayParameters = {}) {
    super('gateway', context, robotGatewaySchema, parameters);
    this.#parts = parts;
  }

  /** Whether everything that was written has arrived at the learner's side. */
  get isDone(): boolean {
    return this.#sender.isDone;
  }

  protected override onConfigure(): void {
    const { link, robot, spool, onLinked } = this.#parts;
    const { transport } = this.context;
    const batches = this.own(link.advertise(linkTopics.stream.topic, 'iq_learn_link/msg/StreamBatch', qos.event));
    this.#sender = new StreamSender({
      robot,
      source: spool,
      publish: (batch) => batches.publish(batch),
      nowMs: () => this.#nowMs(),
      bytesPerSecond: this.parameters.megabytesPerSecond * 1024 * 1024,
      gatherMs: this.parameters.gatherMs,
    });
    for (const topic of Object.keys(streamTopics) as StreamTopic[])
      this.own(transport.subscribe(topic, streamTopics[topic], (message) => this.#record(topic, message), qos.event));
    this.#policies = this.own(transport.advertise(topics.policy, 'iq_learn/msg/PolicyBundle', qos.latched));
    this.#statuses = this.own(
      link.advertise(linkTopics.gatewayStatus.topic, 'iq_learn_link/msg/GatewayStatus', qos.sensor),
    );
    this.#questions = this.own(
      link.advertise(linkTopics.clockQuestion.topic, 'iq_learn_link/msg/ClockProbe', qos.sensor),
    );
    this.#forwardStatuses();
    this.own(
      link.subscribe(
        linkTopics.position.topic,
        'iq_learn_link/msg/StreamPosition',
        (position) => {
          this.#confirmed = position.durable;
          this.#sender.position(position);
        },
        qos.latched,
      ),
    );
    this.own(
      link.subscribe(
        linkTopics.policy.topic,
        'iq_learn_link/msg/SignedPolicy',
        (signed, { trace }) => this.#takePolicy(signed, trace),
        {
          ...qos.latched,
          depth: 10,
        },
      ),
    );
    this.own(
      link.subscribe(
        linkTopics.clockAnswer.topic,
        'iq_learn_link/msg/ClockProbe',
        ({ asked_ns, answered_ns }) => this.#offset.add(asked_ns, answered_ns, nowNs()),
        qos.sensor,
      ),
    );
    onLinked?.(() => {
      if (this.state !== 'active') return;
      this.#sender.resume();
      this.#parts.recordings?.resume();
    });
  }

  protected override onActivate(): void {
    this.every(PUMP_PERIOD_MS, () => {
      this.#pump();
      if (this.#parts.isLinked?.() ?? true) this.#parts.recordings?.pump(this.#sender.isIdle);
    });
    this.every(STATUS_PERIOD_MS, () => {
      this.#questions.publish({ robot: this.#parts.robot, asked_ns: nowNs(), answered_ns: 0n });
      this.#recordsPerSecond = (this.#written - this.#writtenBefore) / (STATUS_PERIOD_MS / 1000);
      this.#writtenBefore = this.#written;
      this.#publishStatus();
      this.#watch();
    });
  }

  protected diagnose(): Diagnosis {
    const { waiting, dropped } = this.#parts.spool.figures;
    const lost = dropped.state + dropped.demonstration;
    const best = this.#offset.best;
    return {
      level: lost > 0 || this.#lost || this.#refused > 0 ? diagnosticLevel.warn : diagnosticLevel.ok,
      message: this.#lost ? 'the learner is not heard of' : lost > 0 ? `${lost} records were dropped` : 'linked',
      values: {
        waiting,
        dropped_transitions: dropped.state,
        dropped_demonstrations: dropped.demonstration,
        policy_version: this.#policyVersion,
        refused_policies: this.#refused,
        clock_offset_ms: best.offsetMs.toFixed(1),
        round_trip_ms: best.roundTripMs.toFixed(1),
      },
    };
  }

  /** What people want to see on both sides, as it is now: nobody waits for it, and it is never kept. */
  #forwardStatuses(): void {
    const { link } = this.#parts;
    const { transport } = this.context;
    const up = this.own(link.advertise(linkTopics.policyStatus.topic, 'iq_learn/msg/PolicyStatus', qos.sensor));
    this.own(
      transport.subscribe(topics.policyStatus, 'iq_learn/msg/PolicyStatus', (status) => up.publish(status), qos.event),
    );
    const down = this.own(transport.advertise(topics.learnerStatus, 'iq_learn/msg/LearnerStatus', qos.event));
    this.own(
      link.subscribe(
        linkTopics.learnerStatus.topic,
        'iq_learn/msg/LearnerStatus',
        (status) => {
          this.#heardMs = this.#nowMs();
          this.#lost = false;
          down.publish(status);
        },
        qos.sensor,
      ),
    );
  }

  #record(topic: StreamTopic, message: MessageTypes[(typeof streamTopics)[StreamTopic]]): void {
    this.#parts.spool.append(classOf(topic, message), topic, encodeRecorded(topic, message));
    this.#written += 1;
    this.#pump();
  }

  #pump(): void {
    if (this.#parts.isLinked?.() ?? true) this.#sender.pump();
  }

  #takePolicy(signed: SignedPolicy, trace: string | undefined): void {
    try {
      const policy = this.#parts.verifier.open(signed);
      this.#policyVersion = policy.version;
      this.#policies.publish(policy);
      // At once: the next policy waits for this answer.
      this.#publishStatus();
      this.context.logger.debug('a policy has come', { version: policy.version, trace });
    } catch (error) {
      this.#refused += 1;
      this.context.logger.error(messageOf(error), { trace });
    }
  }

  #publishStatus(): void {
    const { robot, spool, recordings } = this.#parts;
    const { waiting, bytes, dropped } = spool.figures;
    const files = recordings?.figures ?? { waiting: 0, waitingBytes: 0, sent: 0, refused: 0 };
    const best = this.#offset.best;
    this.#statuses.publish({
      sent_ns: nowNs(),
      robot,
      epoch: spool.epoch,
      written: BigInt(this.#written),
      confirmed: this.#confirmed,
      waiting: BigInt(waiting),
      waiting_bytes: BigInt(bytes),
      dropped_transitions: BigInt(dropped.state),
      dropped_demonstrations: BigInt(dropped.demonstration),
      policy_version: this.#policyVersion,
      refused_policies: BigInt(this.#refused),
      clock_offset_ms: best.offsetMs,
      round_trip_ms: best.roundTripMs,
      records_per_second: this.#recordsPerSecond,
      recordings_waiting: BigInt(files.waiting),
      recordings_waiting_bytes: BigInt(files.waitingBytes),
      recordings_sent: BigInt(files.sent),
      recordings_refused: BigInt(files.refused),
    });
  }

  /** A robot that does not hear of its learner goes on with its last policy, or stops. */
  #watch(): void {
    const { onLost, lostAfterMs } = this.parameters;
    if (this.#lost || this.#heardMs === undefined || this.#nowMs() - this.#heardMs < lostAfterMs) return;
    this.#lost = true;
    const { logger, transport } = this.context;
    logger.warn('the learner is not heard of', { seconds: lostAfterMs / 1000, action: onLost });
    if (onLost === 'continue') return;
    transport
      .call('/policy/pause', 'std_srvs/srv/Trigger', {}, { timeoutMs: 2000 })
      .catch((error) => logger.error(`the policy node cannot be paused: ${messageOf(error)}`));
  }

  #nowMs(): number {
    return Number(this.context.clock.nowNs()) / 1e6;
  }
}
