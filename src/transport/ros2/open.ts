import { IqLearnError, messageOf } from '../../common/index.js';
import type { ReportError } from '../index.js';
import { defaultQos, type RequestedQos, type Transport } from '../index.js';
import { Lifecycle } from './lifecycle.js';
import { rosTopic } from './names.js';
import { SpinningNode } from './node.js';
import { Parameters } from './parameters.js';
import { checkRos, surroundings } from './preflight.js';
import { overriddenQos } from './qos.js';
import type { Rcl, RclAddon, RclContext, RclLifecycleNode, RclNode } from './rclnodejs.js';
import { publishLog } from './rosout.js';
import { Ros2Transport } from './transport.js';
import type {
  LifecycleCallbacks,
  LifecycleStateName,
  ParameterDeclaration,
  ParameterValue,
  ParameterVerdict,
  Ros2Node,
  Ros2Options,
  RosClock,
} from './types.js';

/** The import of rclnodejs, made once. */
let loaded: Promise<Rcl> | undefined;

function load(): Promise<Rcl> {
  loaded ??= import('rclnodejs' as string).then(
    ({ default: rcl }: { default: Rcl }) => {
      // The host handles signals: it stops the robot before anything is closed.
      rcl.removeSignalHandlers();
      return rcl;
    },
    (cause) => {
      throw new IqLearnError('UNAVAILABLE', 'rclnodejs cannot be imported', { found: messageOf(cause), cause });
    },
  );
  return loaded;
}

/**
 * Joins the ROS 2 graph as one node. Throws UNAVAILABLE, in milliseconds and without touching anything, where no ROS 2
 * is sourced, rclnodejs is not installed, or its native part does not fit this ROS 2 and machine; INVALID_ARGUMENT
 * for ROS arguments that rcl does not take; INVALID_CONFIG for parameters of the wrong type.
 */
export async function openRos2(options: Ros2Options): Promise<Ros2Node> {
  const addon = checkRos(surroundings());
  const rcl = await load();
  const context = new rcl.Context();
  try {
    await rcl.init(context, ['node', ...(options.args ?? [])]);
    return new HostedNode(rcl, addon, context, options);
  } catch (cause) {
    context.tryShutdown();
    if (cause instanceof IqLearnError) throw cause;
    throw notMade(options.nodeName, messageOf(cause), cause);
  }
}

/** ROS 2 refuses what belongs to security in the same way as wrong arguments: its text tells them apart. */
function notMade(name: string, found: string, cause: unknown): IqLearnError {
  const what = `the node ${name} cannot be made`;
  if (!/security/i.test(found))
    return new IqLearnError('INVALID_ARGUMENT', what, {
      found,
      expected: 'ROS arguments as in: --ros-args -p name:=value -r from:=to -r __ns:=/robot1 -r __node:=name',
      cause,
    });
  return new IqLearnError('UNAVAILABLE', what, {
    found,
    expected: `a DDS with security, and an enclave for ${name} in ROS_SECURITY_KEYSTORE, which --enclave names`,
    remedy: 'make the enclave as docs/security.md says; ROS 2 from apt has a DDS with security',
    cause,
  });
}

class HostedNode implements Ros2Node {
  readonly transport: Transport;
  readonly name: string;
  readonly namespace: string;
  readonly clock: RosClock;
  readonly #context: RclContext;
  readonly #spinning: SpinningNode;
  readonly #node: RclNode;
  readonly #parameters: Parameters;
  readonly #lifecycle: Lifecycle | undefined;
  readonly #endLog: () => void;
  readonly #options: Ros2Options;
  #closing: Promise<void> | undefined;

  constructor(rcl: Rcl, addon: RclAddon, context: RclContext, options: Ros2Options) {
    const { nodeName, managed, logger } = options;
    const report: ReportError = options.onError ?? ((error) => logger.error(error.message, { code: error.code }));
    this.#options = options;
    this.#context = context;
    this.#spinning = new SpinningNode(rcl, nodeName, context, managed, report);
    const node = this.#spinning.node;
    this.#node = node;
    this.name = node.name();
    this.namespace = node.namespace();
    this.#parameters = new Parameters(rcl, addon, context, node);
    this.#endLog = publishLog(rcl, node, logger);
    const clock = node.getClock();
    this.clock = {
      get simulated() {
        return clock.isRosTimeActive;
      },
      nowNs: () => clock.now().nanoseconds,
    };
    this.#lifecycle = managed ? new Lifecycle(node as RclLifecycleNode, logger) : undefined;
    this.transport = new Ros2Transport({
      rcl,
      node,
      nodeName,
      report,
      override: (kind, topic, qos) => this.#overridden(kind, topic, qos),
    });
  }

  graph(): { topic: string; type: string }[] {
    const found = this.#node.getTopicNamesAndTypes();
    return found.flatMap(({ name, types: [type] }) => (type === undefined ? [] : { topic: name, type }));
  }

  get undeclared(): readonly string[] {
    return this.#parameters.undeclared;
  }

  get lifecycleState(): LifecycleStateName {
    return this.#lifecycle?.state ?? 'unmanaged';
  }

  declareParameter(declaration: ParameterDeclaration): ParameterValue {
    return this.#parameters.declare(declaration);
  }

  onSetParameters(check: (changes: Readonly<Record<string, ParameterValue>>) => ParameterVerdict): void {
    this.#parameters.onSet(check);
  }

  manage(callbacks: LifecycleCallbacks): void {
    if (this.#lifecycle === undefined)
      throw new IqLearnError('INVALID_ARGUMENT', `the node ${this.name} has no lifecycle`, {
        expected: 'a node opened with managed: true',
      });
    this.#lifecycle.manage(callbacks);
  }

  request(transition: 'configure' | 'activate' | 'deactivate' | 'cleanup' | 'shutdown'): boolean {
    if (this.#lifecycle === undefined)
      throw new IqLearnError('INVALID_ARGUMENT', `the node ${this.name} has no lifecycle`, {
        expected: 'a node opened with managed: true',
      });
    return this.#lifecycle.request(transition);
  }

  start(): void {
    this.#spinning.start();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.transport.close();
    this.#endLog();
    await this.#spinning.destroy();
    this.#context.shutdown();
  }

  #overridden<Given extends RequestedQos>(
    kind: 'publisher' | 'subscription',
    topic: string,
    qos: Given | undefined,
  ): Given | undefined {
    const prefix = `qos_overrides.${this.#node.resolveTopicName(rosTopic(topic))}.${kind}.`;
    const policies = this.#parameters.overridesUnder(prefix);
    const given = this.#options.qosOverrides?.[topic];
    if (policies.size === 0 && given === undefined) return qos;
    for (const [policy, value] of policies)
      if (!this.#parameters.has(prefix + policy))
        this.#parameters.declare({
          name: prefix + policy,
          type: typeof value === 'number' ? 'integer' : 'string',
          default: value,
          description: `${policy} of the ${kind} of ${topic}`,
          readOnly: true,
        });
    return overriddenQos(prefix, policies, { ...(qos ?? defaultQos), ...given } as Given);
  }
}
