import { z } from 'zod';
import type { IqLearnError } from '../../common/index.js';
import type { LifecycleState, NodeContext } from '../../nodes/index.js';
import type { Logger } from '../../platform/index.js';
import type { RobotSpec } from '../../robot/index.js';
import type { Ros2Node } from '../../transport/ros2/index.js';

/** What a host calls of a node: {@link LifecycleNode} without the type of its parameters. */
export interface HostedLifecycle {
  readonly state: LifecycleState;
  readonly fault: IqLearnError | undefined;
  onFault(listener: (error: IqLearnError) => void): void;
  configure(): void;
  activate(): void;
  deactivate(): void;
  shutdown(): Promise<void>;
  setParameters(changes: object): void;
}

export interface Prepared {
  readonly node: HostedLifecycle;
  /** Runs after the node is shut down, and frees what was prepared for it. */
  readonly release?: () => void | Promise<void>;
}

/** What an executable prepares a node from. */
export interface Preparation<Schema extends z.ZodObject = z.ZodObject> {
  readonly context: NodeContext;
  readonly parameters: z.output<Schema>;
  /** Whether time is simulated, as the ROS parameter use_sim_time says. */
  readonly simulatedTime: boolean;
}

/** A managed node as an executable of the package. */
export interface ManagedExecutable<Schema extends z.ZodObject = z.ZodObject> {
  readonly kind: 'managed';
  /** Name of the executable, and of its node. */
  readonly name: string;
  /** Name of the node if it differs from the executable's. */
  readonly node?: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Whether the node is configured and activated at the start, unless the parameter `autostart` says otherwise. */
  readonly autostart: boolean;
  /** It commands a robot, so its process gets a higher priority where that is permitted. */
  readonly urgent?: boolean;
  /** Parameters in addition to those of every managed node; defaults may depend on the robot. */
  schema(spec: RobotSpec): Schema;
  /** Does everything that is slow, before the node is configured. Throws if a parameter or the environment is wrong. */
  prepare(given: Preparation<Schema>): Promise<Prepared>;
}

/** An executable that runs to its end, without a lifecycle. */
export interface ProgramExecutable<Schema extends z.ZodObject = z.ZodObject> {
  readonly kind: 'program';
  readonly name: string;
  readonly summary: string;
  schema(spec: RobotSpec): Schema;
  /** Resolves with the exit code. The signal asks it to end early. */
  run(given: {
    readonly ros: Pick<Ros2Node, 'transport' | 'clock' | 'name' | 'namespace' | 'graph'>;
    readonly spec: RobotSpec;
    readonly parameters: z.output<Schema>;
    readonly logger: Logger;
    readonly signal: AbortSignal;
  }): Promise<number>;
}

export type Executable = ManagedExecutable | ProgramExecutable;

/** Types `prepare` by the schema, and returns the executable without that type, for the table of executables. */
export function managed<Schema extends z.ZodObject>(executable: Omit<ManagedExecutable<Schema>, 'kind'>): Executable {
  return { kind: 'managed', ...executable } as unknown as Executable;
}

export function program<Schema extends z.ZodObject>(executable: Omit<ProgramExecutable<Schema>, 'kind'>): Executable {
  return { kind: 'program', ...executable } as unknown as Executable;
}

export const robotSchema = z.strictObject({
  robot: z
    .string()
    .default('rover')
    .describe('A robot of config/robots, or the path of a description (YAML).')
    .meta({ readOnly: true }),
});

/** Parameters that every managed node has. */
export function managedSchema(autostart: boolean, stamped: boolean) {
  return z.strictObject({
    autostart: z
      .boolean()
      .default(autostart)
      .describe('Configures and activates the node at the start, and ends it with an error where that fails.')
      .meta({ readOnly: true }),
    cmdVelStamped: z
      .boolean()
      .default(stamped)
      .describe('Vehicles: commands and teleoperation are TwistStamped, else Twist.')
      .meta({ readOnly: true }),
  });
}
