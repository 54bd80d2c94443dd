import { setTimeout as sleep } from 'node:timers/promises';
import { cancelled, IqLearnError, messageOf } from '../../common/index.js';
import type { RosParameterValue } from '../../messages/index.js';
import type { Transport } from '../../transport/index.js';

type Value = boolean | number | string | readonly string[];
/** Parameters by their ROS names. */
export type ParameterValues = Readonly<Record<string, Value>>;
type State = 'unconfigured' | 'inactive' | 'active' | 'finalized';
type Transition = 'configure' | 'cleanup' | 'activate' | 'deactivate';

const CALL_MS = 10_000;
/** Milliseconds for another node to appear. A launch file starts all nodes at once, which takes long on a busy machine. */
const STARTING_MS = 120_000;
/** Milliseconds between two attempts: first, and at most. */
const RETRY_MS = 250;
const SLOWEST_RETRY_MS = 2000;

const empty: RosParameterValue = {
  type: 0,
  bool_value: false,
  integer_value: 0n,
  double_value: 0,
  string_value: '',
  byte_array_value: [] as unknown as Uint8Array, // rclnodejs takes plain arrays
  bool_array_value: [],
  integer_array_value: [],
  double_array_value: [],
  string_array_value: [],
};

/** A rcl_interfaces/msg/ParameterValue. Whole numbers are sent as integers, which our double parameters accept. */
function rosValue(value: Value): RosParameterValue {
  if (typeof value === 'boolean') return { ...empty, type: 1, bool_value: value };
  if (typeof value === 'string') return { ...empty, type: 4, string_value: value };
  if (typeof value !== 'number') return { ...empty, type: 9, string_array_value: [...value] };
  return Number.isInteger(value)
    ? { ...empty, type: 2, integer_value: BigInt(value) }
    : { ...empty, type: 3, double_value: value };
}

/** Other nodes as a lifecycle manager treats them: sets their parameters and brings them into the state wanted. */
export class Peers {
  readonly #transport: Transport;
  readonly #signal: AbortSignal;

  /** After the signal every method rejects with CANCELLED. */
  constructor(transport: Transport, signal: AbortSignal) {
    this.#transport = transport;
    this.#signal = signal;
  }

  /** Takes a node to unconfigured, sets parameters and brings it to active, however long its preparation takes. */
  async bring(node: string, parameters: ParameterValues, withinMs: number): Promise<void> {
    await this.end(node);
    await this.set(node, parameters);
    await this.#until(`${node} to be configured`, withinMs, () => this.#change(node, 'configure'));
    if (!(await this.#change(node, 'activate'))) throw refused(node, 'activate');
  }

  /** Takes a node to unconfigured from any state. */
  async end(node: string): Promise<void> {
    // A node that starts by itself may change its state meanwhile.
    await this.#until(`${node} to stand down`, STARTING_MS, async () => {
      const state = await this.state(node);
      if (state === 'active') await this.#change(node, 'deactivate');
      return state === 'unconfigured' || (state === 'inactive' && (await this.#change(node, 'cleanup')));
    });
  }

  async state(node: string): Promise<State> {
    const answer = await this.guard(
      this.#transport.call(`/${node}/get_state`, 'lifecycle_msgs/srv/GetState', {}, { timeoutMs: CALL_MS }),
    );
    return answer.current_state.label as State;
  }

  /** Throws CONFLICT with the node's reason. */
  async set(node: string, parameters: ParameterValues): Promise<void> {
    if (Object.keys(parameters).length === 0) return;
    const request = {
      parameters: Object.entries(parameters).map(([name, value]) => ({ name, value: rosValue(value) })),
    };
    const { result } = await this.guard(
      this.#transport.call(
        `/${node}/set_parameters_atomically`,
        'rcl_interfaces/srv/SetParametersAtomically',
        request,
        { timeoutMs: CALL_MS },
      ),
    );
    if (!result.successful)
      throw new IqLearnError('CONFLICT', `${node} refuses ${Object.keys(parameters).join(', ')}`, {
        found: result.reason,
      });
  }

  /** As `work` does, or CANCELLED once the signal is given. */
  async guard<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    if (this.#signal.aborted) throw cancelled();
    let stop: () => void = () => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(cancelled());
      this.#signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([work, stopped]);
    } finally {
      this.#signal.removeEventListener('abort', stop);
    }
  }

  async #change(node: string, transition: Transition): Promise<boolean> {
    const { success } = await this.guard(
      this.#transport.call(
        `/${node}/change_state`,
        'lifecycle_msgs/srv/ChangeState',
        { transition: { id: 0, label: transition } },
        { timeoutMs: CALL_MS },
      ),
    );
    return success;
  }

  async #until(what: string, withinMs: number, attempt: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + withinMs;
    let problem = 'it says no';
    let pauseMs = RETRY_MS;
    for (;;) {
      try {
        if (await attempt()) return;
      } catch (error) {
        if (this.#signal.aborted) throw error;
        problem = messageOf(error);
      }
      if (performance.now() > deadline)
        throw new IqLearnError('TIMEOUT', `waited for ${what}`, {
          found: `${problem} for ${(withinMs / 1000).toFixed(0)} s`,
          remedy: 'its log says why; is the node started?',
        });
      await this.guard(sleep(pauseMs));
      pauseMs = Math.min(1.5 * pauseMs, SLOWEST_RETRY_MS);
    }
  }
}

function refused(node: string, request: string, reason = 'its log says why'): IqLearnError {
  return new IqLearnError('CONFLICT', `${node} refuses ${request}`, { found: reason });
}
