import type { IqLearnError } from '../../common/index.js';
import type { Logger } from '../../platform/index.js';
import type { Qos, Transport } from '../index.js';

/** A parameter's value. ROS 2's 64-bit integers are numbers here; values beyond 2^53 are refused. */
export type ParameterValue = boolean | number | string | readonly boolean[] | readonly number[] | readonly string[];

export type ParameterType =
  | 'bool'
  | 'integer'
  | 'double'
  | 'string'
  | 'bool_array'
  | 'integer_array'
  | 'double_array'
  | 'string_array';

/** A parameter as `ros2 param describe` shows it, with the limits that are checked before it is set. */
export interface ParameterDeclaration {
  readonly name: string;
  readonly type: ParameterType;
  readonly default: ParameterValue;
  readonly description: string;
  /** For numbers, and for each element of an array of numbers. */
  readonly range?: { readonly from: number; readonly to: number; readonly step?: number };
  /** For strings, and for each element of an array of strings. */
  readonly choices?: readonly string[];
  /** Only an override at the start of the process can set it. */
  readonly readOnly?: boolean;
}

/** Whether a change of parameters is accepted, as a whole or not at all. `reason` is returned to the caller. */
export interface ParameterVerdict {
  readonly ok: boolean;
  readonly reason: string;
}

/**
 * What a managed node does on its transitions; synchronous, as ROS 2's callbacks are. True means SUCCESS, false FAILURE
 * (the node stays in its state). An error that is thrown is logged. In `configure` and `activate` it is a FAILURE, and
 * they undo what they did; after `deactivate`, `cleanup` or `shutdown` it makes `error` run.
 */
export interface LifecycleCallbacks {
  configure(): boolean;
  activate(): boolean;
  deactivate(): boolean;
  cleanup(): boolean;
  shutdown(): boolean;
  /** True: the node becomes unconfigured; false: finalized. */
  error(): boolean;
}

/** The primary states of a managed node, by ROS 2's names; 'unmanaged' for a plain node. */
export type LifecycleStateName = 'unconfigured' | 'inactive' | 'active' | 'finalized' | 'unmanaged';

export interface Ros2Options {
  readonly nodeName: string;
  /** The command line, including `--ros-args …`: rcl reads remaps, parameters and log levels from it. */
  readonly args?: readonly string[];
  /** A lifecycle node, which begins unconfigured. {@link Ros2Node.manage} must be called next. */
  readonly managed: boolean;
  /** By our topic name (`/cmd_vel`). Parameters `qos_overrides.<topic>.<publisher|subscription>.<policy>` win over it. */
  readonly qosOverrides?: Readonly<Record<string, Partial<Qos>>>;
  /** Logs errors and refused transitions. Its records also go to /rosout. */
  readonly logger: Logger;
  /** Takes errors of handlers, and reports about endpoints that do not match; the logger if not given. */
  readonly onError?: (error: IqLearnError) => void;
}

/** ROS time: the wall clock, or `/clock` where `use_sim_time` is set. For stamps of data, never for watchdogs. */
export interface RosClock {
  readonly simulated: boolean;
  /** Nanoseconds since the epoch; 0 until the first `/clock` where time is simulated. */
  nowNs(): bigint;
}

/** A node in the ROS 2 graph: its transport, and what the process that hosts it needs. */
export interface Ros2Node {
  readonly transport: Transport;
  /** After remaps (`-r __node:=…`), without the namespace. */
  readonly name: string;
  /** After remaps (`-r __ns:=…`): '/' or '/robot1'. */
  readonly namespace: string;
  readonly clock: RosClock;
  /** 'unmanaged' for a plain node. */
  readonly lifecycleState: LifecycleStateName;
  /**
   * Declares a parameter and returns its value: the override of the command line or a parameter file, else the default.
   * Throws INVALID_CONFIG where the override has another type or is out of range.
   */
  declareParameter(declaration: ParameterDeclaration): ParameterValue;
  /** The topics of the graph that have a publisher or a subscriber, with their types. */
  graph(): readonly { readonly topic: string; readonly type: string }[];
  /** Overrides of the command line or a parameter file that no parameter of this node is declared for. */
  readonly undeclared: readonly string[];
  /** Calls `check` before any change after the start, which applies what it accepts. An error it throws is a refusal. */
  onSetParameters(check: (changes: Readonly<Record<string, ParameterValue>>) => ParameterVerdict): void;
  /** Throws INVALID_ARGUMENT for a node that is not managed. */
  manage(callbacks: LifecycleCallbacks): void;
  /** Makes a transition as the service `change_state` does. False if it is refused or fails. */
  request(transition: 'configure' | 'activate' | 'deactivate' | 'cleanup' | 'shutdown'): boolean;
  /** Begins to receive messages, requests and transitions. */
  start(): void;
  /** Closes the transport and leaves the graph, in under a second. What was published before is still sent. */
  close(): Promise<void>;
}
