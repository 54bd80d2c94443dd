import { z } from 'zod';
import { IqLearnError } from '../common/index.js';
import { header, type JointState, type MessageTypeName, type MessageTypes, nanosecondsOf } from '../messages/index.js';
import type { PolicyRuntime } from '../policy/index.js';
import {
  checkContract,
  createObservationAssembler,
  type ObservationAssembler,
  type SafetyOptions,
  SimulationClock,
} from '../robot/index.js';
import { type Publisher, qos } from '../transport/index.js';
import { Helm } from './helm.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from './lifecycle.js';
import { Pilot } from './pilot.js';
import { PolicyInbox } from './policy-inbox.js';
import { type ControlLoop, LockstepLoop, type LoopParts } from './policy-lockstep.js';
import { RealtimeLoop } from './policy-realtime.js';
import { headerStampNs } from './stamps.js';
import { topics } from './topics.js';
import { TransitionLog } from './transition-log.js';

const parametersSchema = z.strictObject({
  /** `lockstep`: answers each state of a simulator; `realtime`: a command every period of the steady clock. */
  pace: z.enum(['lockstep', 'realtime']).default('lockstep'),
  /** Who drives: the policy (a person may take over), or a person alone. */
  source: z.enum(['policy', 'teleop']).default('policy'),
  /** Draws actions from the policy (to learn) instead of taking its mean (to work). */
  stochastic: z.boolean().default(false),
  /** Before the first policy: hold, or random actions. */
  explore: z.enum(['hold', 'random']).default('hold'),
  seed: z.int().min(0).max(0xffffffff).default(0),
  /** Names the sender of transitions; every start of a robot needs another one. */
  session: z.string().min(1).default('session'),
  /** Lockstep: waits for the learner after every so many transitions, see {@link LockstepLoop}; 0 never. */
  synchronousSegment: z.int().min(0).default(0),
  /**
   * Segments of `synchronousSegment` transitions that were acted before, where a run is resumed: it goes on as if it
   * had never ended, with the policy of the last segment but one to start with.
   */
  segmentsBefore: z.int().min(0).default(0),
  /** Lockstep: holds still once so many transitions were published; 0 for no limit. */
  transitionLimit: z.int().min(0).default(0),
  segmentTimeoutMs: z.number().positive().default(120_000),
  /** Lockstep: how long a person who has taken over is waited for at each step. */
  teleopWaitMs: z.number().positive().default(500),
  /** Real time: periods an action may be executed for. */
  actionPeriods: z.int().min(1).max(10).default(2),
  /** The e-stop must be heard to be released this often; null where the robot has no such heartbeat. */
  estopHeartbeatMs: z.number().positive().nullable().default(null),
});

export type PolicyParameters = z.input<typeof parametersSchema>;

/**
 * Drives the robot: state topics → observation → policy → safety filter → command topic, and publishes what was
 * executed as transitions. Takes new policies from the policy topic, verified beside the loop and swapped at a step
 * boundary; one that is refused leaves the old one running. A person's teleoperation goes before the policy.
 */
export class PolicyNode extends LifecycleNode<typeof parametersSchema> {
  readonly #initial: PolicyRuntime | undefined;
  readonly #relive: Float32Array[];
  readonly #assembler: ObservationAssembler;
  readonly #simulation: SimulationClock;
  readonly #inbox: PolicyInbox;
  readonly #pilot: Pilot;
  #helm!: Helm;
  #log!: TransitionLog;
  #loop: ControlLoop | undefined;
  #statuses!: Publisher<MessageTypes['iq_learn/msg/PolicyStatus']>;
  #clockNs = -1n;
  #clockJumps = 0;

  /**
   * `initial`: a policy to start with, the node's own from then on. `relive` (lockstep): commands that were executed
   * at the beginning of the first episode already; they are given again, and are no transitions any more.
   */
  constructor(
    context: NodeContext,
    parameters: PolicyParameters = {},
    initial?: PolicyRuntime,
    relive: readonly Float32Array[] = [],
  ) {
    super('policy', context, parametersSchema, parameters);
    const { spec, logger } = context;
    const { seed, stochastic, explore, synchronousSegment, segmentsBefore } = this.parameters;
    this.#initial = initial;
    this.#relive = [...relive];
    this.#assembler = createObservationAssembler(spec);
    this.#simulation = new SimulationClock(context.clock);
    this.#inbox = new PolicyInbox({
      spec,
      logger,
      keepAll: synchronousSegment > 0,
      version: initial?.version ?? -1,
      onVerified: () => this.#loop?.takePolicy(),
    });
    // The first segment has no policy yet.
    const random = Math.min(1, segmentsBefore) * synchronousSegment;
    const drawn = { random, sampled: segmentsBefore * synchronousSegment - random };
    this.#pilot = new Pilot({ spec, seed, stochastic, explore, drawn }, initial);
  }

  protected override onConfigure(): void {
    const { spec, transport } = this.context;
    if (this.#initial !== undefined) checkContract(this.#initial.contract, spec);
    const { estopHeartbeatMs, session } = this.parameters;
    const commands = this.own(transport.advertise(spec.command.topic, spec.command.type, qos.command));
    const safety: SafetyOptions = { heartbeatTimeoutMs: estopHeartbeatMs };
    this.#helm = new Helm(spec, safety, commands as Publisher<MessageTypes[MessageTypeName]>, () =>
      this.#publishStatus(),
    );
    this.#log = new TransitionLog(
      this.own(transport.advertise(topics.transitions, 'iq_learn/msg/Transition', qos.event)),
      spec.robot,
      session,
    );
    this.#statuses = this.own(transport.advertise(topics.policyStatus, 'iq_learn/msg/PolicyStatus', qos.event));
    for (const { topic, type } of this.#assembler.topics) this.#subscribeState(topic, type);
    this.own(
      transport.subscribe(topics.taskState, 'iq_learn/msg/TaskState', (task) => this.#loop?.takeTask(task), qos.event),
    );
    this.own(
      transport.subscribe(
        topics.clock,
        'rosgraph_msgs/msg/Clock',
        (message) => {
          const timeNs = nanosecondsOf(message.clock);
          if (timeNs < this.#clockNs && this.#clockNs - timeNs < LATE_NS) return; // overtaken, no jump
          this.#clockNs = timeNs;
          if (!this.#simulation.accept(message)) return;
          // The past does not belong to the future: what was known is dropped, the step under way has no outcome.
          this.#clockJumps++;
          this.#assembler.reset();
          this.#helm.takeover.reset();
          this.#log.cut();
        },
        qos.sensor,
      ),
    );
    this.own(
      transport.subscribe(
        spec.teleop.topic,
        spec.teleop.type,
        (message, { receivedNs }) => {
          if (this.#loop === undefined) return;
          const before = this.#helm.takeover.counters.accepted;
          this.#helm.takeover.accept(message, this.#lockstep ? this.#loop.stampNs : receivedNs, this.#stampNowNs());
          if (this.#helm.takeover.counters.accepted > before) this.#loop.takeTeleop(headerStampNs(message));
        },
        { ...qos.command, depth: 10 },
      ),
    );
    this.own(
      transport.subscribe(
        spec.estopTopic,
        'std_msgs/msg/Bool',
        ({ data }, { receivedNs }) => {
          const changed = data !== this.#helm.estop;
          this.#helm.press(data, this.#lockstep ? (this.#loop?.stampNs ?? 0n) : receivedNs);
          if (changed) this.#loop?.takeEstop();
        },
        qos.event,
      ),
    );
    this.own(
      transport.subscribe(topics.policy, 'iq_learn/msg/PolicyBundle', (message) => this.#inbox.take(message), {
        ...qos.latched,
        depth: 10,
      }),
    );
    this.serveTrigger('reset_fault', () => {
      const { ok, reason } = this.#helm.filter?.reset() ?? { ok: true, reason: 'nothing was latched' };
      if (!ok) throw new IqLearnError('CONFLICT', reason);
      this.#loop?.takeEstop();
      return reason;
    });
  }

  protected override onActivate(): void {
    const { spec, clock } = this.context;
    this.#assembler.reset();
    this.#helm.takeover.reset();
    const parts: LoopParts = {
      spec,
      clock,
      assembler: this.#assembler,
      pilot: this.#pilot,
      helm: this.#helm,
      inbox: this.#inbox,
      log: this.#log,
      relive: this.#relive,
      fail: (error) => this.fail(error),
    };
    this.#loop =
      this.parameters.pace === 'lockstep'
        ? new LockstepLoop(parts, this.parameters)
        : new RealtimeLoop(parts, this.parameters);
    let said = false;
    this.every(1000, () => {
      this.#publishStatus();
      const { state, text } = this.#simulation.status();
      if (!this.#lockstep || state !== 'missing' || said) return;
      said = true;
      this.context.logger.error(text);
    });
  }

  /** The stop command goes out before anything else. */
  protected override onDeactivate(): void {
    this.#helm.stop(this.#loop?.stampNs ?? 0n);
    this.#loop?.close();
    this.#loop = undefined;
    this.#log.cut();
  }

  protected override async onShutdown(): Promise<void> {
    await this.#inbox.close();
    await this.#pilot.dispose();
  }

  protected diagnose(): Diagnosis {
    const { notFinite, incomplete, duplicates, reordered, wrongFrame, clockJumps } = this.#assembler.counters;
    const safety = this.#helm.counters;
    const { state, reason } = this.#state();
    const clock = this.#simulation.status();
    const clockMissing = this.#lockstep && clock.state === 'missing';
    const level =
      clockMissing || state === 'FAULT' || state === 'ESTOP'
        ? diagnosticLevel.error
        : state === 'HOLDING' && (safety?.stale ?? 0) > 0
          ? diagnosticLevel.stale
          : this.#inbox.lastRefusal !== ''
            ? diagnosticLevel.warn
            : diagnosticLevel.ok;
    return {
      level,
      message: clockMissing ? clock.text : reason === '' ? state : `${state}: ${reason}`,
      values: {
        policy: this.#pilot.runtime?.id ?? 'none',
        policies_refused: this.#inbox.refused,
        policies_outdated: this.#inbox.outdated,
        last_refusal: this.#inbox.lastRefusal,
        transitions: this.#log.count,
        gaps: this.#log.gaps,
        states_dropped: notFinite + incomplete + wrongFrame,
        states_late: duplicates + reordered,
        clock_jumps: clockJumps + this.#clockJumps,
        overruns: this.#loop?.overruns ?? 0,
        takeovers_refused: this.#helm.takeover.counters.malformed + this.#helm.takeover.counters.late,
        ...(safety === undefined
          ? {}
          : {
              cycles: safety.cycles,
              stale: safety.stale,
              clamped: safety.clamped,
              rate_limited: safety.rateLimited,
              expired: safety.expired,
              faults: safety.faults,
              estops: safety.estops,
            }),
      },
    };
  }

  get #lockstep(): boolean {
    return this.parameters.pace === 'lockstep';
  }

  #subscribeState(topic: string, type: MessageTypeName): void {
    this.own(
      this.context.transport.subscribe(
        topic,
        type,
        (message, { receivedNs }) => {
          if (this.#loop === undefined) return;
          // In lockstep all time is simulated: how long a learner took must not make a state old.
          this.#assembler.accept(topic, message, this.#lockstep ? (headerStampNs(message) ?? 0n) : receivedNs);
          if (type === 'sensor_msgs/msg/JointState') this.#helm.seeJoints(message as JointState);
          this.#loop.takeState();
        },
        qos.sensor,
      ),
    );
  }

  /** The present time on the clock that stamps are of. */
  #stampNowNs(): bigint {
    const clock = this.#simulation.status();
    if (this.#lockstep) return this.#loop?.stampNs ?? 0n;
    return clock.state === 'running' || clock.state === 'paused' ? clock.timeNs : BigInt(Date.now()) * 1_000_000n;
  }

  #state(): { readonly state: string; readonly reason: string } {
    const task = this.#loop?.task;
    const output = this.#helm.output;
    const over = task === undefined || task.terminated || task.truncated;
    if (output === undefined || (over && output.state !== 'ESTOP' && output.state !== 'FAULT'))
      return { state: 'IDLE', reason: '' };
    return output;
  }

  #publishStatus(): void {
    if (this.state !== 'active') return;
    const { state, reason } = this.#state();
    const counters = this.#assembler.counters;
    const task = this.#loop?.task;
    this.#statuses.publish({
      header: header(this.#loop?.stampNs ?? 0n),
      robot: this.context.spec.robot,
      policy_version: BigInt(this.#pilot.version),
      state,
      reason,
      episode: task?.episode ?? 0,
      step: task?.step ?? 0,
      overruns: BigInt(this.#loop?.overruns ?? 0),
      dropped: BigInt(counters.notFinite + counters.incomplete + counters.wrongFrame + this.#log.gaps),
      latency_ms: this.#loop?.latencyMs ?? 0,
    });
  }
}

/** A /clock that is behind by less was overtaken by its successor. */
const LATE_NS = 1_000_000_000n;
