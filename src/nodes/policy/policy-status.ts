import { header, type PolicyStatus, type TaskState } from '../../messages/index.js';
import type { ObservationAssembler, SafetyOutput } from '../../robot/index.js';
import type { ActionSource } from './action-source.js';
import type { CommandOutput } from './command-output.js';
import type { ControlLoop } from './control-loop.js';
import type { TransitionPublisher } from './transition-publisher.js';

/** What the robot is doing: a state of /policy_status, and why it is in it. */
export interface Condition {
  /** IDLE, or one of the safety filter's states. */
  readonly state: string;
  readonly reason: string;
}

export interface ConditionInputs {
  /** Why another policy node has the robot; undefined while this one has it. */
  readonly yielded: string | undefined;
  readonly task: TaskState | undefined;
  /** The last output of the safety filter. */
  readonly output: SafetyOutput | undefined;
  readonly lockstep: boolean;
  /** Why only a person may drive now; empty while the policy may. */
  readonly standby: string;
  readonly paused: boolean;
  /** What the robot waits for before anything can be commanded; empty if for nothing. */
  readonly waitingFor: string;
}

/** The condition to be published. A latched stop is shown between episodes too; other states only during one. */
export function conditionOf(inputs: ConditionInputs): Condition {
  const { yielded, task, output, lockstep, standby, paused, waitingFor } = inputs;
  if (yielded !== undefined) return { state: 'FAULT', reason: yielded };
  // A supervisor's pause is the person's: what they do is shown.
  if (standby !== '' && waitingFor === '')
    return output === undefined || output.state === 'RUNNING' || output.state === 'HOLDING'
      ? { state: 'IDLE', reason: standby }
      : output;
  // On a real robot there may be no publisher of episode events: without a task it is always at work.
  const isOver = task === undefined ? lockstep : task.terminated || task.truncated;
  if (output === undefined || (isOver && output.state !== 'ESTOP' && output.state !== 'FAULT'))
    return { state: 'IDLE', reason: idleReason(task, isOver, waitingFor) };
  return paused && output.state === 'HOLDING' ? { state: 'HOLDING', reason: 'paused' } : output;
}

function idleReason(task: TaskState | undefined, isOver: boolean, waitingFor: string): string {
  if (task !== undefined && isOver) return 'the episode is over';
  if (waitingFor !== '') return waitingFor;
  return isOver ? 'no task has been heard yet' : 'no control period has passed yet';
}

export interface StatusParts {
  readonly identity: Pick<PolicyStatus, 'robot' | 'session' | 'epoch'>;
  readonly condition: Condition;
  readonly loop: ControlLoop | undefined;
  readonly actions: ActionSource;
  readonly assembler: ObservationAssembler;
  readonly transitions: TransitionPublisher;
  readonly commands: Pick<CommandOutput, 'contested'>;
}

/** The reason of a condition, and who else commands the robot. */
function reasonOf({ reason }: Condition, { contested }: StatusParts['commands']): string {
  return [reason, contested].filter((each) => each !== '').join('; ');
}

/** A condition as one sentence, and who else commands the robot. */
export function sentenceOf(condition: Condition, commands: StatusParts['commands']): string {
  const reason = reasonOf(condition, commands);
  return reason === '' ? condition.state : `${condition.state}: ${reason}`;
}

/** The message for /policy_status at this time. */
export function statusOf(
  stampNs: bigint,
  { identity, condition, loop, actions, assembler, transitions, commands }: StatusParts,
): PolicyStatus {
  const { notFinite, incomplete, wrongFrame, contradictory } = assembler.counters;
  return {
    header: header(stampNs),
    ...identity,
    policy_version: BigInt(actions.version),
    state: condition.state,
    reason: reasonOf(condition, commands),
    episode: loop?.task?.episode ?? 0,
    step: loop?.task?.step ?? 0,
    overruns: BigInt(loop?.overruns ?? 0),
    dropped: BigInt(notFinite + incomplete + wrongFrame + contradictory + transitions.gaps),
    latency_ms: loop?.latencyMs ?? 0,
  };
}
