import {
  type BlockArray,
  blockValues,
  IqLearnError,
  type Observation,
  type ObservationSpec,
  type PerBlock,
  STATE_BLOCK,
} from '../../common/index.js';
import { observationOf, type RobotSpec } from '../../robot/index.js';

/** The share of its largest rate at which a joint is brought to where the recorded motion begins. */
const APPROACH = 0.25;

/** An episode of a recording that a robot is to drive again. */
export interface RecordedMotion {
  /** [length × actions], in the action's units, one row a control period. */
  readonly actions: Float32Array;
  /** length + 1 rows of each block of the observations. */
  readonly observations: PerBlock<BlockArray>;
  readonly length: number;
}

/** How far a feature was from its recorded value at most. */
export interface Deviation {
  readonly name: string;
  readonly unit: string;
  readonly largest: number;
  /** Seconds of the recording. */
  readonly at: number;
}

/** Whether an action says where to be or how fast to go; undefined for what cannot be slowed down (forces, unknown units). */
function kindOf({ quantity, unit }: RobotSpec['action'][number]): 'position' | 'velocity' | undefined {
  if (quantity === 'position' || quantity === 'velocity') return quantity;
  return quantity === undefined && unit.endsWith('/s') ? 'velocity' : undefined;
}

/**
 * The actions of a recorded episode, one each control period, in place of a policy's. Slowed down, velocities shrink as the
 * time grows, so that the way stays the same, and positions are interpolated. A robot that is commanded by positions is
 * first brought to where the motion begins, at a quarter of the largest rate. All of it passes the safety filter.
 */
export class RecordedActions {
  readonly #spec: RobotSpec;
  readonly #motion: RecordedMotion;
  readonly #speed: number;
  readonly #blocks: ObservationSpec;
  /** Which of the blocks holds the named numbers; −1 where none does. */
  readonly #state: number;
  readonly #vectors: BlockArray | undefined;
  readonly #largest: { value: number; at: number }[];
  /** Position in the recording, in its control periods; undefined before the approach. */
  #at: number | undefined;
  #approach: Float32Array[] = [];
  #isStopped = false;
  #over = '';
  readonly #onOver: (recorded: RecordedActions) => void;

  /** `speed`: of the recorded motion, above 0 and at most 1; `onOver` is called at the end. Throws INVALID_ARGUMENT where it cannot be slowed down. */
  constructor(
    spec: RobotSpec,
    motion: RecordedMotion,
    speed: number,
    onOver: (recorded: RecordedActions) => void = () => {},
  ) {
    if (!(speed > 0 && speed <= 1))
      throw new IqLearnError('INVALID_ARGUMENT', 'bad speed of a replay', {
        found: String(speed),
        expected: 'more than 0, at most 1: a recorded motion is never driven faster',
      });
    const fixed = spec.action.filter((feature) => kindOf(feature) === undefined);
    if (speed < 1 && fixed.length > 0)
      throw new IqLearnError('INVALID_ARGUMENT', 'the motion cannot be slowed down', {
        found: `${fixed.map(({ name, unit }) => `${name} (${unit})`).join(', ')} at a speed of ${speed}`,
        expected: 'positions and velocities',
        remedy: 'replay it at a speed of 1, or not at all',
      });
    this.#spec = spec;
    this.#onOver = onOver;
    this.#motion = motion;
    this.#speed = speed;
    this.#blocks = observationOf(spec);
    this.#state = this.#blocks.findIndex(({ name }) => name === STATE_BLOCK);
    this.#vectors = blockValues(this.#blocks, motion.observations, 'observation')[this.#state];
    this.#largest = spec.observation.map(() => ({ value: 0, at: 0 }));
  }

  /** Why nothing more is driven; empty while there is something. */
  get over(): string {
    return this.#over;
  }

  /** Ends the replay: what follows would begin somewhere else. */
  abandon(reason: string): void {
    if (this.#over === '' && this.#at !== undefined) this.#end(`the replay is given up: ${reason}`);
  }

  /** The action for this observation; `current` is the command so far. Undefined once it is over. */
  next(observation: Observation, current: ArrayLike<number> | undefined): Float32Array | undefined {
    if (this.#over !== '') return undefined;
    if (this.#at === undefined) {
      this.#at = 0;
      this.#approach = this.#approachFrom(current);
    }
    const approach = this.#approach.shift();
    if (approach !== undefined) return approach;
    this.#compare(observation, this.#at);
    const at = this.#at;
    this.#at += this.#speed;
    if (at < this.#motion.length) return this.#actionAt(at);
    if (this.#isStopped) {
      this.#end('the replay is over');
      return undefined;
    }
    // An action may be executed for longer than a period: the last one is a stop.
    this.#isStopped = true;
    return this.#actionAt(this.#motion.length - 1).map((value, i) =>
      kindOf(this.#spec.action[i]!) === 'position' ? value : 0,
    );
  }

  /** How far each feature was from its recorded value, the largest share of its range first. */
  get deviations(): Deviation[] {
    const share = ({ low, high }: { low: number; high: number }, value: number): number =>
      Number.isFinite(high - low) ? value / (high - low) : value;
    return this.#spec.observation
      .map((feature, i) => ({ feature, ...this.#largest[i]! }))
      .sort((a, b) => share(b.feature, b.value) - share(a.feature, a.value))
      .map(({ feature: { name, unit }, value, at }) => ({ name, unit, largest: value, at }));
  }

  #end(why: string): void {
    this.#over = why;
    this.#onOver(this);
  }

  #actionAt(at: number): Float32Array {
    const { actions, length } = this.#motion;
    const size = this.#spec.action.length;
    const row = Math.floor(at);
    const next = Math.min(row + 1, length - 1);
    return Float32Array.from(this.#spec.action, (feature, i) => {
      const value = actions[row * size + i]!;
      if (kindOf(feature) !== 'position') return value * this.#speed;
      return value + (at - row) * (actions[next * size + i]! - value);
    });
  }

  /** Actions on the straight line to the first recorded one, for what is commanded by position. */
  #approachFrom(current: ArrayLike<number> | undefined): Float32Array[] {
    const { action, rateHz } = this.#spec;
    const first = this.#actionAt(0);
    if (current === undefined) return [];
    const far = action.map((feature, i) => (kindOf(feature) === 'position' ? first[i]! - current[i]! : 0));
    // Where no largest rate is described: the whole range in four seconds.
    const steps = action.map(({ maxRate, low, high }, i) => {
      const rate = APPROACH * Math.min(maxRate, high - low);
      return (Math.abs(far[i]!) * rateHz) / rate;
    });
    const count = Math.ceil(Math.max(0, ...steps));
    return Array.from({ length: count }, (_, k) =>
      Float32Array.from(action, (feature, i) =>
        kindOf(feature) === 'position' ? current[i]! + ((k + 1) / count) * far[i]! : 0,
      ),
    );
  }

  #compare(observation: Observation, at: number): void {
    if (this.#vectors === undefined) return;
    const now = blockValues<ArrayLike<number>>(this.#blocks, observation, 'observation')[this.#state]!;
    const size = this.#spec.observation.length;
    const row = Math.min(Math.round(at), this.#motion.length);
    for (let i = 0; i < size; i++) {
      const value = Math.abs(now[i]! - this.#vectors[row * size + i]!);
      if (value > this.#largest[i]!.value) this.#largest[i] = { value, at: at / this.#spec.rateHz };
    }
  }
}
