import { EmbeddedBroker, type Transport } from '#src/transport/index.js';
import type {
  LifecycleCallbacks,
  LifecycleStateName,
  ParameterDeclaration,
  ParameterValue,
  ParameterVerdict,
  Ros2Node,
} from '#src/transport/ros2/index.js';

/** A node's ROS 2 side in memory: what rcl's lifecycle and parameters do, in a few lines. */
export class FakeRos implements Ros2Node {
  readonly broker: EmbeddedBroker;
  readonly transport: Transport;
  readonly name: string;
  readonly namespace = '/';
  readonly clock = { simulated: false, nowNs: () => 1_000_000_000n };
  readonly declarations = new Map<string, ParameterDeclaration>();
  readonly values = new Map<string, ParameterValue>();
  readonly #overrides: Readonly<Record<string, ParameterValue>>;
  #check: (changes: Readonly<Record<string, ParameterValue>>) => ParameterVerdict = () => ({ ok: true, reason: '' });
  #callbacks!: LifecycleCallbacks;
  lifecycleState: LifecycleStateName = 'unconfigured';
  started = false;
  /** Why the last transition failed. */
  failure: unknown;

  constructor(name: string, overrides: Readonly<Record<string, ParameterValue>> = {}, broker = new EmbeddedBroker()) {
    this.name = name;
    this.broker = broker;
    this.transport = broker.connect();
    this.#overrides = overrides;
  }

  declareParameter(declaration: ParameterDeclaration): ParameterValue {
    const value = this.#overrides[declaration.name] ?? declaration.default;
    this.declarations.set(declaration.name, declaration);
    this.values.set(declaration.name, value);
    return value;
  }

  topics: { topic: string; type: string }[] = [];

  graph(): { topic: string; type: string }[] {
    return this.topics;
  }

  get undeclared(): string[] {
    return Object.keys(this.#overrides).filter((name) => !this.declarations.has(name));
  }

  onSetParameters(check: (changes: Readonly<Record<string, ParameterValue>>) => ParameterVerdict): void {
    this.#check = check;
  }

  /** As `ros2 param set` does. */
  set(changes: Readonly<Record<string, ParameterValue>>): ParameterVerdict {
    for (const name of Object.keys(changes))
      if (this.declarations.get(name)?.readOnly === true) return { ok: false, reason: `${name} is read-only` };
    let verdict: ParameterVerdict;
    try {
      verdict = this.#check(changes);
    } catch (error) {
      verdict = { ok: false, reason: (error as Error).message };
    }
    if (verdict.ok) for (const [name, value] of Object.entries(changes)) this.values.set(name, value);
    return verdict;
  }

  manage(callbacks: LifecycleCallbacks): void {
    this.#callbacks = callbacks;
  }

  request(transition: 'configure' | 'activate' | 'deactivate' | 'cleanup' | 'shutdown'): boolean {
    const ways: Record<string, readonly [LifecycleStateName, LifecycleStateName]> = {
      configure: ['unconfigured', 'inactive'],
      activate: ['inactive', 'active'],
      deactivate: ['active', 'inactive'],
      cleanup: ['inactive', 'unconfigured'],
    };
    const [from, to] = ways[transition] ?? [this.lifecycleState, 'finalized'];
    if (this.lifecycleState !== from) return false;
    try {
      if (!this.#callbacks[transition]()) return false;
    } catch (error) {
      this.failure = error;
      return false;
    }
    this.lifecycleState = to;
    return true;
  }

  start(): void {
    this.started = true;
  }

  close(): Promise<void> {
    return this.transport.close();
  }
}
