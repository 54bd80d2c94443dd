import { IqLearnError } from '../../common/index.js';
import type { MessageTypeName, MessageTypes, PolicyStatus } from '../../messages/index.js';
import type { PolicyRuntime } from '../../policy/index.js';
import {
  checkContract,
  createObservationAssembler,
  type ObservationAssembler,
  SimulationClock,
} from '../../robot/index.js';
import { type Publisher, qos } from '../../transport/index.js';
import { Lease } from '../kit/lease.js';
import { type Diagnosis, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { topics } from '../kit/topics.js';
import { type ActionReplay, ActionSource } from './action-source.js';
import { BundleInbox } from './bundle-inbox.js';
import { CommandOutput } from './command-output.js';
import type { ControlLoop, LoopParts } from './control-loop.js';
import { PolicyDiagnostics } from './diagnostics.js';
import { InterventionLog, type InterventionMoment } from './interventions.js';
import { LockstepLoop } from './lockstep-loop.js';
import { subscribeOperator } from './operator-input.js';
import { OperatorLog } from './operator-log.js';
import { type PolicyParameters, policySchema } from './parameters.js';
import { type Condition, conditionOf, statusOf } from './policy-status.js';
import { RealtimeLoop } from './realtime-loop.js';
import { RecordedActions } from './recorded-actions.js';
import { hearAgain, type InputOptions, presentNs, subscribeRobot } from './robot-input.js';
import { TransitionPublisher } from './transition-publisher.js';

const STATUS_PERIOD_MS = 1000;

/**
 * Drives the robot: state topics → observation → policy → safety filter → command topic, and publishes what was
 * executed as transitions. New policies come by the policy topic; they are verified while the loop goes on and swapped at
 * a step boundary, and one that is refused leaves the old one running. A person's teleoperation takes precedence over the
 * policy, and passes the same filter.
 */
export class PolicyNode extends LifecycleNode<typeof policySchema> {
  readonly #initial: PolicyRuntime | undefined;
  readonly #replay: Float32Array[];
  readonly #assembler: ObservationAssembler;
  readonly #simulation: SimulationClock;
  readonly #inbox: BundleInbox;
  readonly #actions: ActionSource;
  readonly #diagnostics: PolicyDiagnostics;
  readonly #log: OperatorLog;
  #commands!: CommandOutput;
  #transitions!: TransitionPublisher;
  #statuses!: Publisher<MessageTypes['iq_learn/msg/PolicyStatus']>;
  #interventions!: InterventionLog;
  #parts!: LoopParts;
  /** Undefined while the node is not active. */
  #loop: ControlLoop | undefined;
  #lease: Lease | undefined;
  /** Why another policy node has the robot; undefined while this one has it. */
  #yielded: string | undefined;
  #paused = false;
  readonly #lockstep: boolean;
  readonly #said: InputOptions['said'] = new Map();

  /**
   * `initial`: a policy to start with, the node's own from then on. `replay`, in lockstep: commands that the first episode
   * begins with before the policy is asked, and whose transitions are not published; in real time: a recorded motion.
   */
  constructor(
    context: NodeContext,
    parameters: PolicyParameters = {},
    initial?: PolicyRuntime,
    replay?: ActionReplay | RecordedActions,
  ) {
    super('policy', context, policySchema, parameters);
    const { spec, logger } = context;
    const { seed, stochastic, explore, randomSteps, synchronousSegment } = this.parameters;
    this.#initial = initial;
    this.#lockstep = this.parameters.pace === 'lockstep';
    this.#diagnostics = new PolicyDiagnostics(context.clock);
    this.#log = new OperatorLog(context);
    this.#assembler = createObservationAssembler(spec, {
      onRefusal: (refusal) => this.#log.refused(refusal),
    });
    this.#simulation = new SimulationClock(context.clock);
    this.#inbox = new BundleInbox({
      spec,
      logger,
      keepAll: synchronousSegment > 0,
      version: initial?.version ?? -1,
      onVerified: () => this.#loop?.takePolicy(),
    });
    const again = replay instanceof RecordedActions ? { recorded: replay } : { drawn: replay?.drawn };
    this.#replay = replay instanceof RecordedActions ? [] : [...(replay?.commands ?? [])];
    const current = (): ArrayLike<number> | undefined => this.#commands.lastOutput?.command;
    this.#actions = new ActionSource({ spec, seed, stochastic, explore, randomSteps, current, ...again }, initial);
  }

  protected override onConfigure(): void {
    if (this.#initial !== undefined) checkContract(this.#initial.contract, this.context.spec);
    this.#advertise();
    this.#parts = this.#collectParts();
    this.#subscribe();
    this.#serve();
  }

  #advertise(): void {
    const { spec, transport, clock } = this.context;
    const { estopHeartbeatMs, session, source } = this.parameters;
    const publishers = new Map<string, Publisher<MessageTypes[MessageTypeName]>>();
    for (const { topic, type } of spec.commands)
      publishers.set(topic, this.own(transport.advertise(topic, type, qos.command)));
    // Where the policy would be next, a dead-man button that is let go latches the stop.
    const safety = { heartbeatTimeoutMs: estopHeartbeatMs, deadman: source === 'policy' ? 'latch' : 'hold' } as const;
    this.#commands = new CommandOutput(spec, safety, ({ topic, message }) => publishers.get(topic)!.publish(message), {
      ...(this.#lockstep ? {} : { stampNow: () => presentNs(this.#simulation), nowNs: () => clock.nowNs() }),
      changed: () => this.#changed(),
      sent: () => {
        this.#diagnostics.commandRate.mark();
        this.#diagnostics.latency.see(this.#loop?.latencyMs ?? 0);
      },
    });
    this.#interventions = new InterventionLog(
      this.own(transport.advertise(topics.interventions, 'iq_learn/msg/Intervention', qos.event)),
      { robot: spec.robot, session },
    );
    this.#transitions = new TransitionPublisher(
      this.own(transport.advertise(topics.transitions, 'iq_learn/msg/Transition', qos.event)),
      spec,
      session,
    );
    this.#statuses = this.own(transport.advertise(topics.policyStatus, 'iq_learn/msg/PolicyStatus', qos.event));
  }

  #collectParts(): LoopParts {
    const { spec, clock } = this.context;
    return {
      spec,
      clock,
      assembler: this.#assembler,
      actions: this.#actions,
      commands: this.#commands,
      inbox: this.#inbox,
      transitions: this.#transitions,
      replay: this.#replay,
      paused: () => this.#paused,
      fail: (error) => this.fail(error),
      blocked: (ms) => this.#log.blocked(ms, this.#diagnostics),
    };
  }

  #subscribe(): void {
    const { transport, logger } = this.context;
    const options = {
      ...this.#parts,
      transport,
      simulation: this.#simulation,
      diagnostics: this.#diagnostics,
      log: this.#log,
      lockstep: this.#lockstep,
      loop: () => this.#loop,
      said: this.#said,
      onMissing: (reason: string) => logger.warn('poses in other frames cannot be used', { reason }),
    };
    for (const subscription of [...subscribeRobot(options), ...subscribeOperator(options)]) this.own(subscription);
    const compare = (status: PolicyStatus): void => this.#compare(status);
    this.own(transport.subscribe(topics.policyStatus, 'iq_learn/msg/PolicyStatus', compare, qos.event));
    const latched = { ...qos.latched, depth: 10 };
    this.own(
      transport.subscribe(topics.policy, 'iq_learn/msg/PolicyBundle', (message) => this.#inbox.take(message), latched),
    );
  }

  #serve(): void {
    this.own(
      this.context.transport.serve(`/${this.name}/load_policy`, 'iq_learn/srv/LoadPolicy', ({ path }) =>
        this.#inbox.answer(path),
      ),
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
      const { ok, reason } = this.#commands.filter?.reset() ?? { ok: true, reason: 'nothing was latched' };
      if (!ok) throw new IqLearnError('CONFLICT', reason);
      this.#loop?.takeEstop();
      return reason;
    });
  }

  protected override onActivate(): void {
    this.#assembler.reset();
    if (!this.#lockstep) hearAgain(this.#said, this.#assembler);
    this.#commands.takeover.reset();
    this.#lease = new Lease(this.parameters.session);
    this.#yielded = undefined;
    this.#paused = this.parameters.beginPaused;
    const Loop = this.#lockstep ? LockstepLoop : RealtimeLoop;
    this.#loop = new Loop(this.#parts, this.parameters);
    // Another node that has the robot learns from this status at once that it has to yield.
    this.#publishStatus();
    let reported = false;
    this.every(STATUS_PERIOD_MS, () => {
      this.#publishStatus();
      const { state, text } = this.#simulation.status();
      if (!this.#lockstep || state !== 'missing' || reported) return;
      reported = true;
      this.context.logger.error(text);
    });
  }

  /** The stop command goes out before anything else. */
  protected override onDeactivate(): void {
    if (this.#yielded === undefined) this.#stopDriving();
  }

  protected override async onShutdown(): Promise<void> {
    await this.#inbox.close();
    await this.#actions.dispose();
  }

  #stopDriving(): void {
    this.#commands.stop(this.#loop?.stampNs ?? 0n);
    this.#interventions.set(false, this.#moment(), 'the policy node is stopped');
    this.#loop?.close();
    this.#loop = undefined;
    this.#transitions.cut();
  }

  #moment(): InterventionMoment {
    const { episode = 0, step = 0 } = this.#loop?.task ?? {};
    return { stampNs: this.#loop?.stampNs ?? 0n, episode, step };
  }

  /** Two policy nodes for one robot: the one that was activated last has it, and the other stops. */
  #compare({ robot, session, epoch }: PolicyStatus): void {
    const { spec, logger } = this.context;
    if (this.state !== 'active' || this.#yielded !== undefined || robot !== spec.robot) return;
    if (!this.#lease!.yieldsTo(session, epoch, 'policy node', logger)) return;
    this.#yielded = `another policy node (session ${session}) has taken the robot`;
    this.#stopDriving();
    logger.error(`${this.#yielded}: this one is stopped until it is activated again`);
    this.#publishStatus();
  }

  /** The safety filter has changed its state. */
  #changed(): void {
    const output = this.#commands.lastOutput!;
    const { state, reason } = output;
    if (!this.#lockstep || this.#commands.latched) this.#log.changed(output);
    // Where only a person drives, there is no policy to take over from.
    const active = state === 'TAKEOVER' && this.parameters.source === 'policy';
    this.#interventions.set(active, this.#moment(), reason === '' ? state : `${state}: ${reason}`);
    this.#publishStatus();
  }

  protected diagnose(): Diagnosis {
    const clock = this.#simulation.status();
    return this.#diagnostics.diagnose({
      ...this.#parts,
      interventions: this.#interventions,
      loop: this.#loop,
      condition: this.#condition(),
      problem: this.#lockstep && clock.state === 'missing' ? clock.text : undefined,
    });
  }

  #condition(): Condition {
    return conditionOf({
      yielded: this.#yielded,
      task: this.#loop?.task,
      output: this.#commands.lastOutput,
      lockstep: this.#lockstep,
      standby: this.#loop?.standby ?? '',
      paused: this.#paused,
      waitingFor:
        this.#commands.waitingFor || this.#assembler.waitingFor(this.#lockstep ? 0n : this.context.clock.nowNs()),
    });
  }

  #publishStatus(): void {
    if (this.state !== 'active') return;
    const condition = this.#condition();
    if (!this.#lockstep) this.#log.condition(condition);
    this.#statuses.publish(
      statusOf(this.stampNow(), {
        identity: { robot: this.context.spec.robot, session: this.parameters.session, epoch: this.#lease?.epoch ?? 0n },
        condition,
        loop: this.#loop,
        ...this.#parts,
      }),
    );
  }
}
