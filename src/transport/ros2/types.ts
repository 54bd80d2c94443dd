import type { IqLearnError } from '../../common/index.js';
import type { Logger } from '../../platform/index.js';
import type { Qos, Transport } from '../index.js';

/** A parameter's value. Integers are numbers here (ROS 2 has 64 bits; beyond 2^53 is refused). */
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

/** What `ros2 param describe` tells of a parameter, and what is checked before it is set. */
export interface ParameterDeclaration {
  readonly name: string;
  readonly type: ParameterType;
  readonly default: ParameterValue;
  readonly description: string;
  /** Of numbers and of each element of an array of numbers. */
  readonly range?: { readonly from: number; readonly to: number; readonly step?: number };
  /** Of strings and of each element of an array of strings. */
  readonly choices?: readonly string[];
  /** Only an override at the start sets it. */
  readonly readOnly?: boolean;
}

/** Whether a change of parameters is taken, all of it or nothing; `reason` is told to who asked. */
export interface ParameterVerdict {
  readonly ok: boolean;
  readonly reason: string;
}

/**
 * What a managed node does on its transitions; synchronous, as ROS 2's callbacks are. True is SUCCESS, false FAILURE
 * (the node stays where it was). What throws is logged with its reason: FAILURE of `configure` and `activate`, which
 * undo what they did; after a `deactivate`, `cleanup` or `shutdown` that throws, `error` runs.
 */
export interface LifecycleCallbacks {
  configure(): boolean;
  activate(): boolean;
  deactivate(): boolean;
  cleanup(): boolean;
  shutdown(): boolean;
  /** True recovers to unconfigured, false finalizes. */
  error(): boolean;
}

/** A managed node's primary states, by ROS 2's names; 'unmanaged' for a node that is none. */
export type LifecycleStateName = 'unconfigured' | 'inactive' | 'active' | 'finalized' | 'unmanaged';

export interface Ros2Options {
  readonly nodeName: string;
  /** What stands on the command line, `--ros-args …` included: rcl itself reads remaps, parameters and log levels. */
  readonly args?: readonly string[];
  /** A lifecycle node, which begins unconfigured; {@link Ros2Node.manage} must follow. */
  readonly managed: boolean;
  /** By our topic name (`/cmd_vel`). Parameters `qos_overrides.<topic>.<publisher|subscription>.<policy>` go before. */
  readonly qosOverrides?: Readonly<Record<string, Partial<Qos>>>;
  /** Told what goes wrong and why transitions are refused; what it is told also goes to /rosout. */
  readonly logger: Logger;
  /** Told of handlers that fail and of peers that do not fit; the logger if not given. */
  readonly onError?: (error: IqLearnError) => void;
}

/** ROS time: the wall clock, or `/clock` where `use_sim_time` is set. For stamps of data, never for watchdogs. */
export interface RosClock {
  readonly simulated: boolean;
  /** Nanoseconds since the epoch; 0 until the first `/clock` where time is simulated. */
  nowNs(): bigint;
}

/** A node in the ROS 2 graph: its transport and what the process that hosts it needs. */
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
  /** Asks `check` before any change after the start; it applies what it accepts. What throws refuses with its message. */
  onSetParameters(check: (changes: Readonly<Record<string, ParameterValue>>) => ParameterVerdict): void;
  /** Throws INVALID_ARGUMENT for a node that is not managed. */
  manage(callbacks: LifecycleCallbacks): void;
  /** Asks for a transition as `change_state` does: callbacks, event and state are the same. False: refused, or it failed. */
  request(transition: 'configure' | 'activate' | 'deactivate' | 'cleanup' | 'shutdown'): boolean;
  /** Begins to take messages, requests and transitions. */
  start(): void;
  /** Closes the transport and leaves the graph, in under a second. What was published before is still sent. */
  close(): Promise<void>;
}
