import { fileURLToPath } from 'node:url';
import {
  ActionRange,
  type Block,
  blockArray,
  IqLearnError,
  type Observation,
  type ObservationSpec,
  perBlock,
} from '../../common/index.js';
import { largestIndex, type OpenEnvironment } from '../environment.js';
import { type Frame, PythonProcess, pythonCommand } from './python-process.js';

/** The package ships its sources too: the script stays where it is written. */
const SCRIPT = fileURLToPath(new URL('../../../../src/simulation/bridges/gymnasium_server.py', import.meta.url));
/** Importing gymnasium and making an environment may load large libraries. */
const START_TIMEOUT_MS = 120_000;

export interface GymnasiumOptions {
  /** Number of environments that step together; 1 if not given. */
  readonly environments?: number;
  /** Keyword arguments of gymnasium.make. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The Python to run; if not given $PYTHON, the active virtual environment's, or python3. */
  readonly python?: string;
  /** How long a reset or a step may take; 60 s if not given. */
  readonly timeoutMs?: number;
}

/** Continuous actions with their limits (±Infinity where there is none), or the number of discrete ones. */
export type GymnasiumActions =
  | { readonly kind: 'box'; readonly low: readonly number[]; readonly high: readonly number[] }
  | { readonly kind: 'discrete'; readonly n: number };

export interface GymnasiumStep {
  readonly observation: Observation;
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

/** What the server says first. */
interface Facts {
  readonly blocks: readonly Pick<Block, 'name' | 'shape' | 'dtype'>[];
  readonly action:
    | { readonly kind: 'box'; readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[] }
    | { readonly kind: 'discrete'; readonly n: number };
  readonly maxSteps: number | null;
  readonly snapshots: boolean;
}

/** Any gymnasium environment, in a Python process of its own; several copies of it may step together. */
export class Gymnasium {
  readonly id: string;
  readonly observation: ObservationSpec;
  readonly actions: GymnasiumActions;
  /** Numbers that an action is sent as: the dimensions, or 1 for a discrete action. */
  readonly actionSize: number;
  /** Steps until gymnasium truncates an episode; null where it does not. */
  readonly maxSteps: number | null;
  readonly environments: number;
  /** Whether the state of an environment can be saved and restored: those of MuJoCo can. */
  readonly snapshots: boolean;
  readonly #process: PythonProcess;
  readonly #timeoutMs: number;

  private constructor(id: string, environments: number, process: PythonProcess, facts: Facts, timeoutMs: number) {
    this.id = id;
    this.environments = environments;
    this.#process = process;
    this.#timeoutMs = timeoutMs;
    this.observation = facts.blocks.map((block) => ({
      ...block,
      normalise: block.dtype === 'uint8' ? 'unit' : 'standard',
    }));
    const { action } = facts;
    this.actions =
      action.kind === 'discrete'
        ? action
        : {
            kind: 'box',
            low: action.low.map((limit) => limit ?? Number.NEGATIVE_INFINITY),
            high: action.high.map((limit) => limit ?? Number.POSITIVE_INFINITY),
          };
    this.actionSize = this.actions.kind === 'box' ? this.actions.low.length : 1;
    this.maxSteps = facts.maxSteps;
    this.snapshots = facts.snapshots;
  }

  /**
   * Starts Python and makes the environment, e.g. `CartPole-v1`. Throws UNAVAILABLE with the line that installs what is
   * missing (Python, gymnasium, or what the environment needs), NOT_FOUND for an environment that gymnasium does not
   * know, UNSUPPORTED for spaces that cannot be learned on, INVALID_ARGUMENT for wrong options.
   */
  static async connect(id: string, given: GymnasiumOptions = {}): Promise<Gymnasium> {
    const { environments = 1, options = {}, python = pythonCommand(), timeoutMs = 60_000 } = given;
    const child = new PythonProcess(
      python,
      [SCRIPT, id, String(environments), JSON.stringify(options)],
      `gymnasium's ${id}`,
    );
    try {
      const { header } = await child.receive(START_TIMEOUT_MS);
      throwIfRefused(header, id, python);
      return new Gymnasium(id, environments, child, header as unknown as Facts, timeoutMs);
    } catch (error) {
      await child.close();
      throw error;
    }
  }

  /** The process, for whoever wants to watch it. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Starts an episode of the environment with this index. */
  async reset(index: number, seed: number): Promise<Observation> {
    const frame = await this.#request({ op: 'reset', index, seed });
    return this.#readObservation(new DataView(frame.payload.buffer), 0).observation;
  }

  /**
   * Advances every environment by one step. An action is its numbers, or one number where actions are discrete. An
   * environment whose episode has ended has to be reset before the next step. Throws INVALID_ARGUMENT for actions of
   * the wrong number or length.
   */
  async step(actions: readonly ArrayLike<number>[]): Promise<GymnasiumStep[]> {
    const size = this.actionSize;
    if (actions.length !== this.environments || actions.some((action) => action.length !== size))
      throw new IqLearnError('INVALID_ARGUMENT', `the actions do not fit ${this.id}`, {
        found: `actions of ${actions.map((action) => action.length).join(', ')} numbers`,
        expected: `${this.environments} of ${size}`,
      });
    const values = new Float64Array(this.environments * size);
    actions.forEach((action, i) => {
      values.set(action, i * size);
    });
    const { payload } = await this.#request({ op: 'step' }, new Uint8Array(values.buffer));
    const view = new DataView(payload.buffer);
    const steps: GymnasiumStep[] = [];
    for (let at = 0; at < payload.length; ) {
      const reward = view.getFloat64(at, true);
      const [terminated, truncated] = [view.getUint8(at + 8) === 1, view.getUint8(at + 9) === 1];
      const { observation, end } = this.#readObservation(view, at + 10);
      steps.push({ observation, reward, terminated, truncated });
      at = end;
    }
    return steps;
  }

  /** The state of a MuJoCo environment between two steps, where {@link snapshots}. */
  async snapshot(index: number): Promise<Float64Array> {
    const { payload } = await this.#request({ op: 'snapshot', index });
    return new Float64Array(payload.buffer, payload.byteOffset, payload.byteLength / 8);
  }

  /** Brings an environment that was reset back to a state. Its next steps are as after the snapshot. */
  async restore(index: number, state: Float64Array): Promise<void> {
    await this.#request({ op: 'restore', index }, new Uint8Array(Float64Array.from(state).buffer));
  }

  /** Ends the Python process. */
  close(): Promise<void> {
    return this.#process.close();
  }

  async #request(header: Frame['header'], payload?: Uint8Array): Promise<Frame> {
    const frame = await this.#process.request(header, this.#timeoutMs, payload);
    throwIfRefused(frame.header, this.id, 'python3');
    return frame;
  }

  #readObservation(view: DataView, from: number): { observation: Observation; end: number } {
    let at = from;
    const values = this.observation.map((block) => {
      const array = blockArray(block);
      for (let i = 0; i < array.length; i++, at += array.BYTES_PER_ELEMENT)
        array[i] = block.dtype === 'uint8' ? view.getUint8(at) : view.getFloat32(at, true);
      return array;
    });
    return { observation: perBlock(this.observation, values), end: at };
  }
}

/**
 * The first environment as learning takes it. One of MuJoCo has snapshots; resuming any other repeats the episode's seed
 * and actions.
 * Throws UNSUPPORTED where an action has no limits. Whether there is a network for each block is the learner's to say.
 */
export function gymnasiumEnvironment(gymnasium: Gymnasium): OpenEnvironment {
  const { observation, actions, id } = gymnasium;
  const discrete = actions.kind === 'discrete';
  const low = discrete ? new Array<number>(actions.n).fill(0) : actions.low;
  const high = discrete ? new Array<number>(actions.n).fill(1) : actions.high;
  if (![...low, ...high].every(Number.isFinite))
    throw new IqLearnError('UNSUPPORTED', `${id} has actions without limits`, {
      found: `${low.join(', ')} … ${high.join(', ')}`,
      expected: 'finite limits',
    });
  return {
    observation,
    actionRange: new ActionRange(low, high),
    discrete,
    reset: (seed) => gymnasium.reset(0, seed),
    step: async (action) => (await gymnasium.step([discrete ? [largestIndex(action)] : action]))[0]!,
    ...(gymnasium.snapshots
      ? {
          snapshot: () => gymnasium.snapshot(0),
          restore: (state: Float64Array) => gymnasium.restore(0, state),
        }
      : {}),
    close: () => gymnasium.close(),
  };
}

function throwIfRefused({ error }: Frame['header'], id: string, python: string): void {
  if (error === undefined) return;
  const { kind, message } = error as { readonly kind: string; readonly message: string };
  const extra = /gymnasium\[[\w-]+\]/.exec(message)?.[0] ?? 'gymnasium[classic-control]';
  switch (kind) {
    case 'package':
      throw new IqLearnError('UNAVAILABLE', `gymnasium's ${id} needs a Python package that is missing`, {
        found: message,
        expected: `the package in the environment of ${python}`,
        remedy: `${python} -m pip install "${extra}"`,
      });
    case 'unknown':
      throw new IqLearnError('NOT_FOUND', `gymnasium does not know ${id}`, {
        found: message,
        expected: 'the id of a registered environment, e.g. CartPole-v1',
      });
    case 'unsupported':
      throw new IqLearnError('UNSUPPORTED', `${id} cannot be learned`, {
        found: message,
        expected: 'vectors or images as observations; discrete or Box actions',
      });
    default:
      throw new IqLearnError('INVALID_ARGUMENT', `gymnasium's ${id} refused`, { found: message });
  }
}
