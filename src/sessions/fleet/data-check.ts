import { fact, type Transition, TransitionRows } from '../../messages/index.js';
import type { RobotSpec } from '../../robot/index.js';
import type { FeatureReference } from './data-reference.js';

/** The last transitions of which not more than {@link MOST_WRONG} may be wrong. */
const WINDOW = 100;
const MOST_WRONG = 10;
/** Transitions without a fault, one after the other, after which a robot that was set aside is taken in again. */
const WELL_AGAIN = 200;
/** Control periods by which the clock may go on from one step to the next. */
const MOST_PERIODS = 10;

/** How a robot's data stand. */
export interface DataState {
  /** Why the robot is set aside; empty where it is not. */
  readonly aside: string;
  /** Transitions that were let through, and those that were left out. */
  readonly admitted: number;
  readonly leftOut: number;
}

/**
 * Looks at the transitions of one robot of a fleet, and lets those through that can be believed. A single wrong one is left
 * out; a robot of whose last 100 transitions 10 were wrong is set aside: nothing of it is let through until 200
 * transitions in a row were right again, or a person releases it. One robot with a broken sensor would spoil what all of
 * them learn.
 *
 * What is looked for: numbers that are not finite or too many or few, a value where no healthy robot has it
 * ({@link dataReference}), a value that does not change any more, an action beyond its range, a clock that jumps or stands
 * still within an episode. Data that are plausible and wrong are not recognised.
 */
export class DataCheck {
  readonly #spec: Pick<RobotSpec, 'observation' | 'blocks' | 'action' | 'rateHz'>;
  readonly #reference: readonly FeatureReference[];
  /** The numbers of the reference, an array for each. */
  readonly #limits: Readonly<Record<'low' | 'high' | 'least' | 'most' | 'mostStill', Float64Array>>;
  readonly #onChange: (aside: string) => void;
  /** Whether each of the last transitions was wrong, as a ring. */
  readonly #wrong = new Uint8Array(WINDOW);
  #at = 0;
  #wrongCount = 0;
  #right = 0;
  /** For how many steps each feature has stayed the same. */
  readonly #still: Uint32Array;
  /** Of the transition before. */
  #last: { session: string; episode: number; step: number; sec: number; nanosec: number } | undefined;
  #aside = '';
  /** Who set the robot aside, or that a person trusts it. */
  #decided: 'check' | 'person' | 'trusted' = 'check';
  #admitted = 0;
  #leftOut = 0;

  /** `onChange` hears why the robot is set aside, and an empty text when it is taken in again. */
  constructor(
    spec: Pick<RobotSpec, 'observation' | 'blocks' | 'action' | 'rateHz'>,
    reference: readonly FeatureReference[],
    onChange: (aside: string) => void = () => {},
  ) {
    this.#spec = spec;
    this.#reference = reference;
    this.#limits = {
      low: Float64Array.from(reference, ({ low }) => low),
      high: Float64Array.from(reference, ({ high }) => high),
      least: Float64Array.from(reference, ({ limits }) => limits[0]),
      most: Float64Array.from(reference, ({ limits }) => limits[1]),
      mostStill: Float64Array.from(reference, ({ mostStill }) => mostStill),
    };
    this.#onChange = onChange;
    this.#still = new Uint32Array(reference.length);
  }

  get state(): DataState {
    return { aside: this.#aside, admitted: this.#admitted, leftOut: this.#leftOut };
  }

  /** Whether the transition may be learned from. To be called with each one in its order. */
  admits(transition: Transition): boolean {
    const { observation, action } = this.#spec;
    const shape = { robot: transition.robot, observation: observation.length, action: action.length };
    return this.#admits(TransitionRows.of(transition, shape), 0, isSound(transition, this.#spec));
  }

  /** As {@link admits}, of a transition that lies in a row. */
  admitsRow(rows: TransitionRows, row: number): boolean {
    return this.#admits(rows, row, true);
  }

  #admits(rows: TransitionRows, row: number, sound: boolean): boolean {
    const fault = sound ? this.#faultOf(rows, row) : 'numbers that are not finite, or not as many as the robot has';
    this.#remember(rows, row);
    this.#count(fault);
    const trusted = this.#decided === 'trusted' && this.#aside === '' && sound;
    const admitted = this.#aside === '' && (fault === '' || trusted);
    if (admitted) this.#admitted++;
    else this.#leftOut++;
    return admitted;
  }

  /** A person sets the robot aside: it stays so until {@link release}. */
  setAside(reason: string): void {
    this.#decided = 'person';
    this.#set(reason);
  }

  /**
   * A person takes the robot in. One that the check had set aside is trusted from now on, whatever the check finds; numbers
   * that cannot be learned from at all are left out even so.
   */
  release(): void {
    this.#decided = this.#decided === 'check' && this.#aside !== '' ? 'trusted' : 'check';
    this.#wrong.fill(0);
    this.#wrongCount = 0;
    this.#set('');
  }

  #count(fault: string): void {
    const wrong = fault === '' ? 0 : 1;
    this.#wrongCount += wrong - this.#wrong[this.#at]!;
    this.#wrong[this.#at] = wrong;
    this.#at = (this.#at + 1) % WINDOW;
    this.#right = wrong === 1 ? 0 : this.#right + 1;
    if (this.#decided !== 'check') return;
    if (this.#aside === '' && this.#wrongCount >= MOST_WRONG) this.#set(fault);
    else if (this.#aside !== '' && this.#right >= WELL_AGAIN) this.#set('');
  }

  #set(aside: string): void {
    if (aside === this.#aside) return;
    this.#aside = aside;
    this.#onChange(aside);
  }

  /** What is wrong with a transition; empty where nothing is. */
  #faultOf(rows: TransitionRows, row: number): string {
    // Each fault is looked for even where another was found: they remember what came before.
    const still = this.#stillness(rows, row);
    const [range, clock] = [this.#range(rows, row), this.#clock(rows, row)];
    return still !== '' ? still : range !== '' ? range : clock;
  }

  #range({ observations, actions, nextObservations }: TransitionRows, row: number): string {
    const { low, high } = this.#limits;
    const { length: o } = this.#reference;
    const { length: a } = this.#spec.action;
    for (let k = 0; k < o; k++) {
      const [first, second] = [observations[row * o + k]!, nextObservations[row * o + k]!];
      if (first < low[k]! || first > high[k]!) return this.#beyond(k, first);
      if (second < low[k]! || second > high[k]!) return this.#beyond(k, second);
    }
    for (let k = 0; k < a; k++) {
      const { name, low: least, high: most } = this.#spec.action[k]!;
      const slack = 1e-3 * (most - least);
      const value = actions[row * a + k]!;
      if (value < least - slack || value > most + slack)
        return `the action ${name} = ${short(value)}, beyond its range ${short(least)} to ${short(most)}`;
    }
    return '';
  }

  #beyond(k: number, value: number): string {
    const { name, low, high } = this.#reference[k]!;
    return `${name} = ${short(value)}, where ${short(low)} to ${short(high)} is believed`;
  }

  #stillness(rows: TransitionRows, row: number): string {
    const { observations, nextObservations } = rows;
    const { least, most, mostStill } = this.#limits;
    const still = this.#still;
    const { length: o } = this.#reference;
    const goesOn = this.#last?.session === rows.sessions[row] && this.#last!.episode === rows.fact(row, fact.episode);
    let fault = -1;
    for (let k = 0; k < o; k++) {
      const value = nextObservations[row * o + k]!;
      const moved = !goesOn || value !== observations[row * o + k] || value <= least[k]! || value >= most[k]!;
      still[k] = moved ? 0 : still[k]! + 1;
      if (still[k]! > mostStill[k]!) fault = k;
    }
    return fault < 0 ? '' : `${this.#reference[fault]!.name} has not changed for ${still[fault]} steps`;
  }

  #clock(rows: TransitionRows, row: number): string {
    const last = this.#last;
    if (last === undefined || last.session !== rows.sessions[row]) return '';
    if (last.episode !== rows.fact(row, fact.episode) || rows.fact(row, fact.step) !== last.step + 1) return '';
    const [sec, nanosec] = [rows.fact(row, fact.sec), rows.fact(row, fact.nanosec)];
    // A stamp of 0 means that the time is not known.
    if ((sec === 0 && nanosec === 0) || (last.sec === 0 && last.nanosec === 0)) return '';
    const seconds = sec - last.sec + (nanosec - last.nanosec) / 1e9;
    if (seconds > 0 && seconds < MOST_PERIODS / this.#spec.rateHz) return '';
    return `the clock went on by ${seconds.toFixed(3)} s in one step of ${(1 / this.#spec.rateHz).toFixed(3)} s`;
  }

  #remember(rows: TransitionRows, row: number): void {
    this.#last ??= { session: '', episode: 0, step: 0, sec: 0, nanosec: 0 };
    this.#last.session = rows.sessions[row]!;
    this.#last.episode = rows.fact(row, fact.episode);
    this.#last.step = rows.fact(row, fact.step);
    this.#last.sec = rows.fact(row, fact.sec);
    this.#last.nanosec = rows.fact(row, fact.nanosec);
  }
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

function isSound(
  { observation, next_observation, action, blocks, next_blocks }: Transition,
  spec: Pick<RobotSpec, 'observation' | 'blocks' | 'action'>,
): boolean {
  const [o, a] = [spec.observation.length, spec.action.length];
  if (observation.length !== o || next_observation.length !== o || action.length !== a) return false;
  if ((spec.blocks ?? []).length === 0 && blocks.length + next_blocks.length > 0) return false;
  for (const numbers of [observation, next_observation, action])
    for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return false;
  return true;
}
