import { z } from 'zod';
import { IqLearnError, messageOf, nearest, type SteadyClock } from '../../common/index.js';
import type { NodeContext } from '../../nodes/index.js';
import type { Logger } from '../../platform/index.js';
import { loadRobotSpec, type RobotSpec, withStampedTwist } from '../../robot/index.js';
import type { ParameterValue, ParameterVerdict, Ros2Node } from '../../transport/ros2/index.js';
import {
  type Executable,
  type HostedLifecycle,
  type ManagedExecutable,
  managedSchema,
  robotSchema,
} from './executable.js';
import { NodeFactory } from './node-factory.js';
import { ParameterSet } from './parameters.js';
import { commandsStamped } from './twist.js';

/** All parameters of an executable, with their defaults for this robot. */
export function parametersOf(executable: Executable, spec: RobotSpec): ParameterSet {
  const common =
    executable.kind === 'managed' ? managedSchema(executable.autostart, commandsStamped(spec)) : z.strictObject({});
  return new ParameterSet(z.strictObject({ ...robotSchema.shape, ...common.shape, ...executable.schema(spec).shape }));
}

/** The executable's own parameters, without those that every executable has. */
export function ownParameters(all: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { robot: _, autostart: __, cmdVelStamped: ___, ...own } = all;
  return own;
}

export interface Declared {
  readonly spec: RobotSpec;
  readonly set: ParameterSet;
  /** Values by ROS names. */
  readonly values: Record<string, ParameterValue>;
}

/** Declares all parameters of an executable. Throws INVALID_CONFIG, and NOT_FOUND for an unknown robot. */
export function declareParameters(executable: Executable, ros: Ros2Node): Declared {
  const [robot] = new ParameterSet(robotSchema).declarations;
  const name = ros.declareParameter(robot!) as string;
  const described = loadRobotSpec(name);
  const set = parametersOf(executable, described);
  const values: Record<string, ParameterValue> = { robot: name };
  for (const declaration of set.declarations)
    if (declaration.name !== 'robot') values[declaration.name] = ros.declareParameter(declaration);
  const { cmdVelStamped } = set.parse(values) as { cmdVelStamped?: boolean };
  return { spec: withStampedTwist(described, cmdVelStamped ?? commandsStamped(described)), set, values };
}

/**
 * Warns of overrides that no parameter takes: one that is misspelt would be silently without effect. A file for several
 * nodes under /** says things for others, too.
 */
export function warnOfUnknown({ undeclared }: Ros2Node, set: ParameterSet, logger: Logger): void {
  const known = set.declarations.map(({ name }) => name);
  for (const name of undeclared) {
    const meant = nearest(name, known);
    logger.warn(`the parameter ${name} is not one of this node`, meant === undefined ? {} : { did_you_mean: meant });
  }
}

export interface HostOptions {
  readonly executable: ManagedExecutable;
  readonly ros: Ros2Node;
  readonly clock: SteadyClock;
  readonly logger: Logger;
  readonly vitals: NonNullable<NodeContext['vitals']>;
}

/**
 * Runs a node of src/nodes as a ROS 2 lifecycle node: declares its parameters, checks changes and passes them on, and
 * answers transitions at once. While it is unconfigured, a node is prepared from the present parameters; `cleanup`, and
 * any change of a parameter, prepares a new one.
 */
export class Host {
  readonly #options: HostOptions;
  readonly #spec: RobotSpec;
  readonly #set: ParameterSet;
  #values: Readonly<Record<string, ParameterValue>>;
  readonly #factory: NodeFactory;

  /** Throws INVALID_CONFIG if a parameter is wrong. */
  constructor(options: HostOptions) {
    const { executable, ros, logger } = options;
    this.#options = options;
    const { spec, set, values } = declareParameters(executable, ros);
    this.#spec = spec;
    this.#set = set;
    this.#values = values;
    warnOfUnknown(ros, set, logger);
    this.#factory = new NodeFactory(
      () => this.#make(),
      (outcome) => {
        if (outcome === 'ready') logger.info('ready to be configured');
        // Not an error yet: parameters may be set before the node is asked to configure.
        else logger.info(`not ready to be configured: ${outcome.message}`, { code: outcome.code });
      },
    );
    ros.onSetParameters((changes) => this.#change(changes));
    ros.manage({
      configure: () => this.#configure(),
      activate: () => this.#answer(() => this.#node.activate()),
      deactivate: () => this.#answer(() => this.#node.deactivate()),
      cleanup: () => this.#renew(),
      shutdown: () => {
        void this.#factory.close().catch((error) => logger.error(messageOf(error)));
        return true;
      },
      error: () => this.#renew(),
    });
  }

  /** Prepares the node, then answers requests; with `autostart` the node is active when this resolves, or it throws. */
  async start(): Promise<void> {
    const { ros, logger, executable } = this.#options;
    logger.info(`preparing for the robot ${this.#spec.robot}`);
    const autostart = this.#values.autostart === true;
    await this.#factory.renew();
    if (autostart) {
      // The process that started this one sees the reason of a failure too.
      const { problem } = this.#factory;
      if (problem !== undefined) throw problem;
      ros.start();
      if (ros.request('configure') && ros.request('activate')) return;
      throw new IqLearnError('UNAVAILABLE', `${executable.name} does not start`, {
        found: `it is ${ros.lifecycleState}`,
        remedy: 'its log says why',
      });
    }
    ros.start();
    logger.info(`waiting: ros2 lifecycle set ${ros.namespace.replace(/\/$/, '')}/${ros.name} configure, then activate`);
  }

  /** The robot is stopped when this returns. Resolves when files are closed. */
  close(): Promise<void> {
    return this.#factory.close();
  }

  get #node(): HostedLifecycle {
    const { node } = this.#factory;
    if (node === undefined) throw new IqLearnError('INTERNAL', 'there is no node');
    return node;
  }

  #configure(): boolean {
    const node = this.#factory.take();
    if (node === undefined) this.#options.logger.info('still being prepared: ask again in a moment');
    else node.configure();
    return node !== undefined;
  }

  #answer(transition: () => void): boolean {
    transition();
    return true;
  }

  #renew(): boolean {
    void this.#factory.renew().catch((error) => this.#options.logger.error(messageOf(error)));
    return true;
  }

  async #make() {
    const { executable, ros, clock, logger, vitals } = this.#options;
    const context: NodeContext = {
      transport: ros.transport,
      spec: this.#spec,
      clock,
      logger,
      vitals,
      label: `${ros.namespace}/${ros.name}`.replace(/^\/+/, ''),
      stampNs: () => ros.clock.nowNs(),
    };
    const prepared = await executable.prepare({
      context,
      parameters: ownParameters(this.#set.parse(this.#values)),
      simulatedTime: ros.clock.simulated,
    });
    prepared.node.onFault((error) => logger.error(`needs help: ${error.message}`, { code: error.code }));
    return prepared;
  }

  #change(changes: Readonly<Record<string, ParameterValue>>): ParameterVerdict {
    const known = Object.fromEntries(Object.entries(changes).filter(([name]) => this.#set.has(name)));
    if (Object.keys(known).length === 0) return { ok: true, reason: '' };
    const values = { ...this.#values, ...known };
    this.#set.parse(values);
    const state = this.#options.ros.lifecycleState;
    if (state === 'unconfigured') {
      this.#values = values;
      this.#renew();
      return { ok: true, reason: '' };
    }
    const fixed = Object.keys(known).filter((name) => !this.#set.isDynamic(name));
    if (fixed.length > 0)
      return {
        ok: false,
        reason: `${fixed.join(', ')} may be set while the node is unconfigured only; it is ${state}`,
      };
    this.#node.setParameters(this.#set.rename(known));
    this.#values = values;
    return { ok: true, reason: '' };
  }
}
