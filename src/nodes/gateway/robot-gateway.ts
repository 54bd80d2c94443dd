import { messageOf, wallClockNs } from '../../common/index.js';
import {
  ClockOffset,
  classOf,
  encodeRecorded,
  linkTopics,
  type SignedPolicy,
  StreamSender,
  type StreamTopic,
  streamTopics,
} from '../../link/index.js';
import type { MessageTypes } from '../../messages/index.js';
import { type Publisher, qos } from '../../transport/index.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { topics } from '../kit/topics.js';
import { type RobotGatewayParameters, type RobotGatewayParts, robotGatewaySchema } from './robot-gateway-parts.js';
import { StatusRhythm } from './status-rhythm.js';

const STATUS_PERIOD_MS = 1000;
const PUMP_PERIOD_MS = 50;
/** Periods of the learner's statuses that may pass in silence before it counts as lost. */
const SILENT_PERIODS = 3;

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
  readonly #rhythm = new StatusRhythm();
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
          this.#hold(position.hold);
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
        ({ asked_ns, answered_ns }) => this.#offset.add(asked_ns, answered_ns, wallClockNs()),
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
      this.#watch();
      this.#say();
    });
  }

  protected diagnose(): Diagnosis {
    const { waiting, dropped } = this.#parts.spool.figures;
    const lost = dropped.state + dropped.demonstration;
    const best = this.#offset.best;
    return {
      level: lost > 0 || this.#lost || this.#refused > 0 ? diagnosticLevel.warn : diagnosticLevel.ok,
      message: this.#lost
        ? 'the learner is not heard of'
        : this.#sender.isHeld
          ? 'the learner is behind'
          : lost > 0
            ? `${lost} records were dropped`
            : 'linked',
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

  /** Says how the robot stands, as often as the learner's side asks for, and asks for the time: seldom once it is known. */
  #say(): void {
    const due = this.#rhythm.due(this.#nowMs(), Math.max(STATUS_PERIOD_MS, this.#sender.statusMs));
    if (due === undefined) return;
    this.#recordsPerSecond = (this.#written - this.#writtenBefore) / due.seconds;
    this.#writtenBefore = this.#written;
    if (due.asksForTime)
      this.#questions.publish({ robot: this.#parts.robot, asked_ns: wallClockNs(), answered_ns: 0n });
    this.#publishStatus();
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
      sent_ns: wallClockNs(),
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

  #hold(hold: boolean): void {
    if (hold === this.#sender.isHeld) return;
    const { logger } = this.context;
    if (hold) logger.warn('the learner is behind: what the robot writes stays in its spool meanwhile');
    else logger.info('the learner takes data again');
  }

  /** A robot that does not hear of its learner goes on with its last policy, or stops. */
  #watch(): void {
    const { onLost } = this.parameters;
    // The learner of a large fleet says less often how it is than some robots would wait.
    const lostAfterMs = Math.max(this.parameters.lostAfterMs, SILENT_PERIODS * this.#sender.statusMs);
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
