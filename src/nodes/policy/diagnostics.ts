import type { SteadyClock } from '../../common/index.js';
import { describeRefusal, type ObservationAssembler, type RobotSpec } from '../../robot/index.js';
import { type Diagnosis, diagnosticLevel } from '../kit/lifecycle.js';
import { PeakMeter, RateMeter } from '../kit/statistics.js';
import type { ActionSource } from './action-source.js';
import type { BundleInbox } from './bundle-inbox.js';
import type { CommandOutput } from './command-output.js';
import type { ControlLoop } from './control-loop.js';
import type { InterventionLog } from './interventions.js';
import { type Condition, sentenceOf } from './policy-status.js';
import type { TransitionPublisher } from './transition-publisher.js';

/** The parts of a policy node that its diagnostics are about. */
export interface DiagnosedParts {
  readonly assembler: ObservationAssembler;
  readonly commands: CommandOutput;
  readonly inbox: BundleInbox;
  readonly interventions: InterventionLog;
  readonly transitions: TransitionPublisher;
  readonly loop: ControlLoop | undefined;
  readonly actions: ActionSource;
  /** What the robot is doing, as in the node's status. */
  readonly condition: Condition;
  readonly spec: RobotSpec;
  /** Something else that is wrong, as a sentence. */
  readonly problem: string | undefined;
}

/** Measures a policy node, and makes its line in /diagnostics. */
export class PolicyDiagnostics {
  readonly commandRate: RateMeter;
  readonly stateRate: RateMeter;
  /** Largest latency from state to command, in milliseconds. */
  readonly latency = new PeakMeter();
  /** Longest block of the event loop, in milliseconds, among those longer than the budget. */
  readonly blocked = new PeakMeter();
  clockJumps = 0;
  /** Topics that are stamped by another clock, each with a sentence. */
  readonly clocks = new Map<string, string>();
  /** Topics of which a publisher cannot be heard, each with a sentence. */
  readonly unheard = new Map<string, string>();
  /** Number of teleoperation commands that were ignored because the dead-man button was not held. */
  unheld = 0;
  /** Cycles with a stale state, as the diagnosis before this one counted them. */
  #staleBefore = 0;

  constructor(clock: SteadyClock) {
    this.commandRate = new RateMeter(clock);
    this.stateRate = new RateMeter(clock);
  }

  diagnose({
    assembler,
    commands,
    inbox,
    interventions,
    transitions,
    loop,
    actions,
    condition,
    spec,
    problem = this.unheard.get(spec.estopTopic),
  }: DiagnosedParts): Diagnosis {
    const { notFinite, incomplete, duplicates, reordered, wrongFrame, contradictory, clockJumps } = assembler.counters;
    const safety = commands.counters;
    const { state } = condition;
    const waits = state === 'IDLE' && loop !== undefined && assembler.waitingFor(0n) !== '';
    const lacksPolicy = state === 'HOLDING' && actions.problem !== undefined;
    const blockedMs = this.blocked.take();
    // It counts from the beginning: what was stale an hour ago is not stale now.
    const isStale = (safety?.stale ?? 0) > this.#staleBefore;
    this.#staleBefore = safety?.stale ?? 0;
    const level =
      problem !== undefined || state === 'FAULT' || state === 'ESTOP'
        ? diagnosticLevel.error
        : state === 'HOLDING' && isStale
          ? diagnosticLevel.stale
          : inbox.lastRefusal !== '' ||
              this.unheard.size > 0 ||
              blockedMs > 0 ||
              waits ||
              lacksPolicy ||
              commands.contested !== ''
            ? diagnosticLevel.warn
            : diagnosticLevel.ok;
    return {
      level,
      message: problem ?? sentenceOf(condition, commands),
      values: {
        policy: actions.runtime?.id ?? 'none',
        policies_refused: inbox.refused,
        policies_outdated: inbox.outdated,
        last_refusal: inbox.lastRefusal,
        commands_hz: this.commandRate.hz.toFixed(1),
        states_hz: this.stateRate.hz.toFixed(1),
        latency_ms: this.latency.take().toFixed(2),
        transitions: transitions.count,
        gaps: transitions.gaps,
        states_dropped: notFinite + incomplete + wrongFrame + contradictory,
        states_late: duplicates + reordered,
        states_refused_why: assembler.refusals
          .map(({ refusal, count }) => `${describeRefusal(refusal)} (${count} times)`)
          .join('; '),
        topics_unheard: [...this.unheard.values()].join('; '),
        clocks_differ: [...this.clocks.values()].join('; '),
        clock_jumps: clockJumps + this.clockJumps,
        overruns: loop?.overruns ?? 0,
        loop_lags: loop?.lags ?? 0,
        loop_blocked_ms: blockedMs.toFixed(0),
        takeovers: interventions.count,
        takeovers_unheld: this.unheld,
        takeovers_refused: commands.takeover.counters.malformed + commands.takeover.counters.late,
        takeovers_contradicted: commands.takeover.contradicted.count,
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
}
