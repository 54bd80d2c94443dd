import type { SteadyClock } from '../../common/index.js';
import type { ObservationAssembler } from '../../robot/index.js';
import { type Diagnosis, diagnosticLevel } from '../kit/lifecycle.js';
import { PeakMeter, RateMeter } from '../kit/statistics.js';
import type { ActionSource } from './action-source.js';
import type { BundleInbox } from './bundle-inbox.js';
import type { CommandOutput } from './command-output.js';
import type { InterventionLog } from './interventions.js';
import type { ControlLoop } from './lockstep-loop.js';
import type { TransitionPublisher } from './transition-publisher.js';

/** The parts of a policy node that have something to tell. */
export interface PolicyParts {
  readonly assembler: ObservationAssembler;
  readonly helm: CommandOutput;
  readonly inbox: BundleInbox;
  readonly interventions: InterventionLog;
  readonly log: TransitionPublisher;
  readonly loop: ControlLoop | undefined;
  readonly pilot: ActionSource;
  /** What the robot is doing, as the status says. */
  readonly driving: { readonly state: string; readonly reason: string };
  /** What is wrong beside. */
  readonly problem: string | undefined;
}

/** What is measured of a policy node, and what that says about it. */
export class PolicyDiagnostics {
  readonly commandRate: RateMeter;
  readonly stateRate: RateMeter;
  /** ms */
  readonly latency = new PeakMeter();
  /** ms the event loop was blocked, where that was longer than its budget. */
  readonly blocked = new PeakMeter();
  clockJumps = 0;
  /** Teleoperation without the dead-man button. */
  unheld = 0;

  constructor(clock: SteadyClock) {
    this.commandRate = new RateMeter(clock);
    this.stateRate = new RateMeter(clock);
  }

  diagnose({ assembler, helm, inbox, interventions, log, loop, pilot, driving, problem }: PolicyParts): Diagnosis {
    const { notFinite, incomplete, duplicates, reordered, wrongFrame, clockJumps } = assembler.counters;
    const safety = helm.counters;
    const { state, reason } = driving;
    const blockedMs = this.blocked.take();
    const level =
      problem !== undefined || state === 'FAULT' || state === 'ESTOP'
        ? diagnosticLevel.error
        : state === 'HOLDING' && (safety?.stale ?? 0) > 0
          ? diagnosticLevel.stale
          : inbox.lastRefusal !== '' || blockedMs > 0
            ? diagnosticLevel.warn
            : diagnosticLevel.ok;
    return {
      level,
      message: problem ?? (reason === '' ? state : `${state}: ${reason}`),
      values: {
        policy: pilot.runtime?.id ?? 'none',
        policies_refused: inbox.refused,
        policies_outdated: inbox.outdated,
        last_refusal: inbox.lastRefusal,
        commands_hz: this.commandRate.hz.toFixed(1),
        states_hz: this.stateRate.hz.toFixed(1),
        latency_ms: this.latency.take().toFixed(2),
        transitions: log.count,
        gaps: log.gaps,
        states_dropped: notFinite + incomplete + wrongFrame,
        states_late: duplicates + reordered,
        clock_jumps: clockJumps + this.clockJumps,
        overruns: loop?.overruns ?? 0,
        loop_lags: loop?.lags ?? 0,
        loop_blocked_ms: blockedMs.toFixed(0),
        takeovers: interventions.count,
        takeovers_unheld: this.unheld,
        takeovers_refused: helm.takeover.counters.malformed + helm.takeover.counters.late,
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
