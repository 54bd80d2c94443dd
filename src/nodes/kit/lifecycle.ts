import type { z } from 'zod';
import { IqLearnError, messageOf, parseOrThrow, type SteadyClock, wallClockNs } from '../../common/index.js';
import { type DiagnosticArray, type DiagnosticStatus, header } from '../../messages/index.js';
import type { Logger } from '../../platform/index.js';
import type { RobotSpec } from '../../robot/index.js';
import { type Closable, type Publisher, qos, type Transport } from '../../transport/index.js';
import { topics } from './topics.js';

/** What every node gets: the ports it works with, and the robot it works for. */
export interface NodeContext {
  readonly transport: Transport;
  readonly spec: RobotSpec;
  /** For watchdogs, deadlines and rates. */
  readonly clock: SteadyClock;
  readonly logger: Logger;
  /** The node's name in /diagnostics, a topic that all robots share. Default: its name. */
  readonly label?: string;
  /** Time for the stamps of status and diagnostics, in nanoseconds. Default: the time of day. */
  readonly stampNs?: () => bigint;
  /** Values that the host adds to the node's diagnostics, such as how late its event loop runs. */
  readonly vitals?: () => Readonly<Record<string, string | number>>;
}

export type LifecycleState = 'unconfigured' | 'inactive' | 'active' | 'finalized';

/** The levels of DiagnosticStatus. */
export const diagnosticLevel = { ok: 0, warn: 1, error: 2, stale: 3 } as const;

export interface Diagnosis {
  readonly level: number;
  readonly message: string;
  readonly values: Readonly<Record<string, string | number | bigint | boolean>>;
}

const DIAGNOSTICS_PERIOD_MS = 1000;

/** Names of the parameters that may change while a node is active. */
export function dynamicParameters(schema: z.ZodObject): string[] {
  return Object.entries(schema.shape as Record<string, z.ZodType>)
    .filter(([, parameter]) => parameter.meta()?.dynamic === true)
    .map(([name]) => name);
}

/**
 * The lifecycle of a ROS 2 managed node without ROS: configure validates everything and throws with the reason,
 * activate starts timers, deactivate mirrors it, shutdown releases. All but shutdown are synchronous, as ROS 2's
 * callbacks are: what is slow (workers, files, models) is prepared before, and passed to the constructor.
 * An illegal request throws INVALID_ARGUMENT and changes nothing.
 */
export abstract class LifecycleNode<Schema extends z.ZodObject> {
  readonly name: string;
  protected readonly context: NodeContext;
  readonly #schema: Schema;
  readonly #dynamic: ReadonlySet<string>;
  #parameters: z.output<Schema>;
  #state: LifecycleState = 'unconfigured';
  #diagnostics: Publisher<DiagnosticArray> | undefined;
  #owned: Closable[] = [];
  #timers: NodeJS.Timeout[] = [];
  #fault: IqLearnError | undefined;
  readonly #faultListeners: ((error: IqLearnError) => void)[] = [];

  /** Parameters with `dynamic` in their meta may change while the node is active. Throws INVALID_CONFIG. */
  protected constructor(name: string, context: NodeContext, schema: Schema, parameters: z.input<Schema>) {
    this.name = name;
    this.context = context;
    this.#schema = schema;
    this.#dynamic = new Set(dynamicParameters(schema));
    this.#parameters = this.#validated(parameters);
  }

  get state(): LifecycleState {
    return this.#state;
  }

  get parameters(): z.output<Schema> {
    return this.#parameters;
  }

  /** The error after which the node cannot go on, if there was one. */
  get fault(): IqLearnError | undefined {
    return this.#fault;
  }

  /** Calls `listener` with a fault that the node cannot recover from; at once if it has happened already. */
  onFault(listener: (error: IqLearnError) => void): void {
    if (this.#fault !== undefined) listener(this.#fault);
    else this.#faultListeners.push(listener);
  }

  configure(): void {
    this.#expect('configure', 'unconfigured');
    try {
      this.#diagnostics = this.own(
        this.context.transport.advertise(topics.diagnostics, 'diagnostic_msgs/msg/DiagnosticArray', qos.event),
      );
      this.onConfigure();
    } catch (error) {
      this.#closeOwned();
      throw error;
    }
    this.#state = 'inactive';
  }

  activate(): void {
    this.#expect('activate', 'inactive');
    try {
      this.#state = 'active';
      this.onActivate();
    } catch (error) {
      this.#state = 'inactive';
      this.#stopTimers();
      throw error;
    }
    this.every(DIAGNOSTICS_PERIOD_MS, () =>
      this.#diagnostics!.publish({
        header: header(this.stampNow()),
        status: [this.status()],
      }),
    );
  }

  deactivate(): void {
    this.#expect('deactivate', 'active');
    this.#stopTimers();
    this.onDeactivate();
    this.#state = 'inactive';
  }

  /** From any state, any number of times. When this returns, the robot has its stop command. */
  async shutdown(): Promise<void> {
    if (this.#state === 'finalized') return;
    try {
      if (this.#state === 'active') this.deactivate();
    } finally {
      this.#state = 'finalized';
      this.#stopTimers();
      this.#closeOwned();
    }
    await this.onShutdown();
  }

  /** Changes parameters as a whole or not at all. Throws INVALID_CONFIG (value) or INVALID_ARGUMENT (not now). */
  setParameters(changes: Partial<z.input<Schema>>): void {
    const fixed = Object.keys(changes).filter((key) => !this.#dynamic.has(key));
    if (this.#state !== 'unconfigured' && fixed.length > 0)
      throw new IqLearnError(
        'INVALID_ARGUMENT',
        `${this.name}: a parameter that is fixed while the node is ${this.#state}`,
        {
          found: fixed.join(', '),
          expected: this.#dynamic.size === 0 ? 'none: all are fixed' : `one of ${[...this.#dynamic].join(', ')}`,
          remedy: 'set it before the node is configured',
        },
      );
    this.#parameters = this.#validated({ ...(this.#parameters as object), ...changes } as z.input<Schema>);
  }

  /** The node's line in /diagnostics. */
  status(): DiagnosticStatus {
    const { level, message, values } =
      this.#fault === undefined
        ? this.diagnose()
        : { level: diagnosticLevel.error, message: this.#fault.message, values: this.diagnose().values };
    const all = { ...values, ...this.context.vitals?.() };
    return {
      level,
      name: this.context.label ?? this.name,
      message,
      hardware_id: this.context.spec.robot,
      values: Object.entries(all).map(([key, value]) => ({ key, value: String(value) })),
    };
  }

  /** The stamp of a status or diagnostics message. */
  protected stampNow(): bigint {
    return this.context.stampNs?.() ?? wallClockNs();
  }

  protected abstract onConfigure(): void;
  protected abstract diagnose(): Diagnosis;
  protected onActivate(): void {}
  protected onDeactivate(): void {}
  protected async onShutdown(): Promise<void> {}

  /** Keeps a publisher, subscription or service until shutdown. */
  protected own<T extends Closable>(closable: T): T {
    this.#owned.push(closable);
    return closable;
  }

  /** Serves `~/name` as std_srvs/Trigger. What `action` returns is the message; an error it throws is a refusal. */
  protected serveTrigger(name: string, action: () => string | Promise<string>): void {
    this.own(
      this.context.transport.serve(`/${this.name}/${name}`, 'std_srvs/srv/Trigger', async () => {
        try {
          return { success: true, message: await action() };
        } catch (error) {
          return { success: false, message: messageOf(error) };
        }
      }),
    );
  }

  /** A timer on the steady clock, until the node is deactivated. It does not keep the process alive. */
  protected every(periodMs: number, tick: () => void): void {
    const timer = setInterval(tick, periodMs);
    timer.unref();
    this.#timers.push(timer);
  }

  protected fail(error: unknown): void {
    if (this.#fault !== undefined) return;
    const fault =
      error instanceof IqLearnError
        ? error
        : new IqLearnError('INTERNAL', `${this.name} failed`, { found: messageOf(error), cause: error });
    this.#fault = fault;
    this.context.logger.error(fault.message, { code: fault.code });
    for (const listener of this.#faultListeners.splice(0)) listener(fault);
  }

  #validated(parameters: z.input<Schema>): z.output<Schema> {
    return parseOrThrow(this.#schema, parameters, {
      what: `${this.name}: bad parameter`,
      remedy: `known parameters: ${Object.keys(this.#schema.shape).join(', ')}`,
    });
  }

  #expect(request: string, wanted: LifecycleState): void {
    if (this.#state !== wanted)
      throw new IqLearnError('INVALID_ARGUMENT', `${this.name}: cannot ${request} now`, {
        found: `the node is ${this.#state}`,
        expected: `a node that is ${wanted}`,
        remedy: 'go through configure, activate, deactivate, shutdown in this order',
      });
  }

  #stopTimers(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  #closeOwned(): void {
    for (const closable of this.#owned.splice(0)) closable.close();
  }
}
