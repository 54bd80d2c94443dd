import { IqLearnError, messageOf } from '../../common/index.js';
import {
  header,
  type JointState,
  type MessageTypeName,
  type MessageTypes,
  nanosecondsOf,
  type PolicyStatus,
} from '../../messages/index.js';
import type { PolicyRuntime } from '../../policy/index.js';
import {
  checkContract,
  createObservationAssembler,
  type ObservationAssembler,
  type SafetyOptions,
  SimulationClock,
} from '../../robot/index.js';
import { type Publisher, qos } from '../../transport/index.js';
import { Lease } from '../kit/lease.js';
import { type Diagnosis, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { headerStampNs } from '../kit/stamps.js';
import { topics } from '../kit/topics.js';
import { type ActionReplay, ActionSource } from './action-source.js';
import { BundleInbox } from './bundle-inbox.js';
import { CommandOutput } from './command-output.js';
import { PolicyDiagnostics } from './diagnostics.js';
import { InterventionLog, type InterventionMoment } from './interventions.js';
import { type ControlLoop, LockstepLoop, type LoopParts } from './lockstep-loop.js';
import { type PolicyParameters, policySchema } from './parameters.js';
import { RealtimeLoop } from './realtime-loop.js';
import { TransitionPublisher } from './transition-publisher.js';

/**
 * Drives the robot: state topics → observation → policy → safety filter → command topic, and publishes what was
 * executed as transitions. Takes new policies from the policy topic, verified beside the loop and swapped at a step
 * boundary; one that is refused leaves the old one running. A person's teleoperation goes before the policy.
 */
export class PolicyNode extends LifecycleNode<typeof policySchema> {
  readonly #initial: PolicyRuntime | undefined;
  /** Commands of the replay that are still to be given. */
  readonly #replay: Float32Array[];
  readonly #assembler: ObservationAssembler;
  readonly #simulation: SimulationClock;
  readonly #inbox: BundleInbox;
  readonly #pilot: ActionSource;
  #helm!: CommandOutput;
  #log!: TransitionPublisher;
  #loop: ControlLoop | undefined;
  #statuses!: Publisher<MessageTypes['iq_learn/msg/PolicyStatus']>;
  #interventions!: InterventionLog;
  #lease: Lease | undefined;
  /** Why another policy node has the robot; undefined while this one has it. */
  #yielded: string | undefined;
  #paused = false;
  readonly #gauges: PolicyDiagnostics;
  #clockNs = -1n;

  /**
   * `initial`: a policy to start with, the node's own from then on. `replay` (lockstep): commands that the first episode
   * begins with before the policy is asked; their transitions are not published.
   */
  constructor(context: NodeContext, parameters: PolicyParameters = {}, initial?: PolicyRuntime, replay?: ActionReplay) {
    super('policy', context, policySchema, parameters);
    const { spec, logger } = context;
    const { seed, stochastic, explore, synchronousSegment } = this.parameters;
    this.#initial = initial;
    this.#replay = [...(replay?.commands ?? [])];
    this.#gauges = new PolicyDiagnostics(context.clock);
    this.#assembler = createObservationAssembler(spec);
    this.#simulation = new SimulationClock(context.clock);
    this.#inbox = new BundleInbox({
      spec,
      logger,
      keepAll: synchronousSegment > 0,
      version: initial?.version ?? -1,
      onVerified: () => this.#loop?.takePolicy(),
    });
    const drawn = replay?.drawn ?? { random: 0, sampled: 0 };
    this.#pilot = new ActionSource({ spec, seed, stochastic, explore, drawn }, initial);
  }

  protected override onConfigure(): void {
    const { spec, transport } = this.context;
    if (this.#initial !== undefined) checkContract(this.#initial.contract, spec);
    const { estopHeartbeatMs, session, source } = this.parameters;
    const commands: Publisher<MessageTypes[MessageTypeName]> = this.own(
      transport.advertise(spec.command.topic, spec.command.type, qos.command),
    );
    const safety: SafetyOptions = {
      heartbeatTimeoutMs: estopHeartbeatMs,
      deadman: source === 'policy' ? 'latch' : 'hold',
    };
    this.#helm = new CommandOutput(spec, safety, commands, {
      changed: () => this.#changed(),
      sent: () => {
        this.#gauges.commandRate.mark();
        this.#gauges.latency.see(this.#loop?.latencyMs ?? 0);
      },
    });
    this.#interventions = new InterventionLog(
      this.own(transport.advertise(topics.interventions, 'iq_learn/msg/Intervention', qos.event)),
      { robot: spec.robot, session },
    );
    this.#log = new TransitionPublisher(
      this.own(transport.advertise(topics.transitions, 'iq_learn/msg/Transition', qos.event)),
      spec.robot,
      session,
    );
    this.#statuses = this.own(transport.advertise(topics.policyStatus, 'iq_learn/msg/PolicyStatus', qos.event));
    this.own(
      transport.subscribe(
        topics.policyStatus,
        'iq_learn/msg/PolicyStatus',
        (status) => this.#hearOther(status),
        qos.event,
      ),
    );
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
          this.#gauges.clockJumps++;
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
          const nowNs = this.#lockstep ? this.#loop.stampNs : receivedNs;
          if (this.#helm.deadman?.held(nowNs) === false) {
            this.#gauges.unheld++;
            return;
          }
          const before = this.#helm.takeover.counters.accepted;
          this.#helm.takeover.accept(message, nowNs, this.#stampNowNs());
          if (this.#helm.takeover.counters.accepted > before) this.#loop.takeTeleop(headerStampNs(message));
        },
        { ...qos.command, depth: 10 },
      ),
    );
    if (spec.teleop.deadman !== undefined)
      this.own(
        transport.subscribe(
          spec.teleop.deadman.topic,
          'sensor_msgs/msg/Joy',
          (message, { receivedNs }) => {
            const nowNs = this.#lockstep ? (this.#loop?.stampNs ?? 0n) : receivedNs;
            const deadman = this.#helm.deadman!;
            const before = deadman.held(nowNs);
            deadman.accept(message, nowNs);
            if (before && !deadman.held(nowNs)) this.#loop?.takeEstop();
          },
          qos.sensor,
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
    this.own(
      transport.serve(`/${this.name}/load_policy`, 'iq_learn/srv/LoadPolicy', async ({ path }) => {
        try {
          return { success: true, message: '', policy_version: BigInt(await this.#inbox.load(path)) };
        } catch (error) {
          return { success: false, message: messageOf(error), policy_version: -1n };
        }
      }),
    );
    this.serveTrigger('pause', () => {
      this.#paused = true;
      this.#loop?.hold();
      this.#publishStatus();
      return 'the policy is paused; a person may drive';
    });
    this.serveTrigger('resume', () => {
      this.#paused = false;
      this.#loop?.takePolicy();
      return 'the policy goes on';
    });
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
    this.#lease = new Lease(this.parameters.session);
    this.#yielded = undefined;
    this.#paused = false;
    const parts: LoopParts = {
      spec,
      clock,
      assembler: this.#assembler,
      pilot: this.#pilot,
      helm: this.#helm,
      inbox: this.#inbox,
      log: this.#log,
      replay: this.#replay,
      paused: () => this.#paused,
      fail: (error) => this.fail(error),
      blocked: (ms) => {
        this.#gauges.blocked.see(ms);
        this.context.logger.error('the event loop was blocked: the robot is stopped until fresh state is there', {
          ms: Math.round(ms),
        });
      },
    };
    this.#loop =
      this.parameters.pace === 'lockstep'
        ? new LockstepLoop(parts, this.parameters)
        : new RealtimeLoop(parts, this.parameters);
    // Another one that has the robot hears at once that it has to yield.
    this.#publishStatus();
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
    if (this.#yielded === undefined) this.#stopDriving();
  }

  #stopDriving(): void {
    this.#helm.stop(this.#loop?.stampNs ?? 0n);
    this.#interventions.set(false, this.#moment(), 'the policy node is stopped');
    this.#loop?.close();
    this.#loop = undefined;
    this.#log.cut();
  }

  #moment(): InterventionMoment {
    const { episode = 0, step = 0 } = this.#loop?.task ?? {};
    return { stampNs: this.#loop?.stampNs ?? 0n, episode, step };
  }

  /** Two policy nodes for one robot: the one that came last has it (F35). */
  #hearOther({ robot, session, epoch }: PolicyStatus): void {
    const lease = this.#lease;
    if (lease === undefined || this.state !== 'active' || robot !== this.context.spec.robot) return;
    const claim = lease.judge(session, epoch);
    if (claim === 'own' || this.#yielded !== undefined) return;
    if (claim === 'lower') {
      if (lease.isNews(epoch))
        this.context.logger.error('another policy node for this robot came before this one: it has to yield', {
          session,
          epoch: String(epoch),
        });
      return;
    }
    this.#yielded = `another policy node (session ${session}) has taken the robot`;
    this.#stopDriving();
    this.context.logger.error(`${this.#yielded}: this one is stopped until it is activated again`);
    this.#publishStatus();
  }

  /** The safety filter is in another state. */
  #changed(): void {
    const { state, reason } = this.#helm.output!;
    // Where nobody but a person drives there is nothing to intervene in.
    const active = state === 'TAKEOVER' && this.parameters.source === 'policy';
    this.#interventions.set(active, this.#moment(), reason === '' ? state : `${state}: ${reason}`);
    this.#publishStatus();
  }

  protected override async onShutdown(): Promise<void> {
    await this.#inbox.close();
    await this.#pilot.dispose();
  }

  protected diagnose(): Diagnosis {
    const clock = this.#simulation.status();
    return this.#gauges.diagnose({
      assembler: this.#assembler,
      helm: this.#helm,
      inbox: this.#inbox,
      interventions: this.#interventions,
      log: this.#log,
      loop: this.#loop,
      pilot: this.#pilot,
      driving: this.#state(),
      problem: this.#lockstep && clock.state === 'missing' ? clock.text : undefined,
    });
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
          const before = this.#assembler.stamps.get(topic);
          this.#assembler.accept(topic, message, this.#lockstep ? (headerStampNs(message) ?? 0n) : receivedNs);
          if (type === 'sensor_msgs/msg/JointState') this.#helm.seeJoints(message as JointState);
          this.#gauges.stateRate.mark();
          this.#loop.takeState(topic, this.#assembler.stamps.get(topic) !== before);
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
    if (this.#yielded !== undefined) return { state: 'FAULT', reason: this.#yielded };
    const task = this.#loop?.task;
    const output = this.#helm.output;
    // A real robot may have nobody who tells of episodes.
    const over = task === undefined ? this.#lockstep : task.terminated || task.truncated;
    if (output === undefined || (over && output.state !== 'ESTOP' && output.state !== 'FAULT'))
      return { state: 'IDLE', reason: '' };
    return this.#paused && output.state === 'HOLDING' ? { state: 'HOLDING', reason: 'paused' } : output;
  }

  #publishStatus(): void {
    if (this.state !== 'active') return;
    const { state, reason } = this.#state();
    const counters = this.#assembler.counters;
    const task = this.#loop?.task;
    this.#statuses.publish({
      header: header(this.stampNow()),
      robot: this.context.spec.robot,
      session: this.parameters.session,
      epoch: this.#lease?.epoch ?? 0n,
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
