import type { Transition } from '../../messages/index.js';
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
  readonly #spec: Pick<RobotSpec, 'observation' | 'action' | 'rateHz'>;
  readonly #reference: readonly FeatureReference[];
  readonly #onChange: (aside: string) => void;
  /** Whether each of the last transitions was wrong, as a ring. */
  readonly #wrong = new Uint8Array(WINDOW);
  #at = 0;
  #wrongCount = 0;
  #right = 0;
  /** For how many steps each feature has stayed the same. */
  readonly #still: Uint32Array;
  #last: Transition | undefined;
  #aside = '';
  /** Who set the robot aside, or that a person trusts it. */
  #decided: 'check' | 'person' | 'trusted' = 'check';
  #admitted = 0;
  #leftOut = 0;

  /** `onChange` hears why the robot is set aside, and an empty text when it is taken in again. */
  constructor(
    spec: Pick<RobotSpec, 'observation' | 'action' | 'rateHz'>,
    reference: readonly FeatureReference[],
    onChange: (aside: string) => void = () => {},
  ) {
    this.#spec = spec;
    this.#reference = reference;
    this.#onChange = onChange;
    this.#still = new Uint32Array(reference.length);
  }

  get state(): DataState {
    return { aside: this.#aside, admitted: this.#admitted, leftOut: this.#leftOut };
  }

  /** Whether the transition may be learned from. To be called with each one in its order. */
  admits(transition: Transition): boolean {
    const fault = this.#faultOf(transition);
    this.#last = transition;
    this.#count(fault);
    const trusted = this.#decided === 'trusted' && this.#aside === '' && isSound(transition, this.#spec);
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
  #faultOf(transition: Transition): string {
    if (!isSound(transition, this.#spec)) return 'numbers that are not finite, or not as many as the robot has';
    // Each fault is looked for even where another was found: they remember what came before.
    const faults = [this.#stillness(transition), this.#range(transition), this.#clock(transition)];
    return faults.find((fault) => fault !== '') ?? '';
  }

  #range({ observation, next_observation, action }: Transition): string {
    for (const [k, { name, low, high }] of this.#reference.entries())
      for (const value of [observation[k]!, next_observation[k]!])
        if (value < low || value > high)
          return `${name} = ${short(value)}, where ${short(low)} to ${short(high)} is believed`;
    for (const [k, { name, low, high }] of this.#spec.action.entries()) {
      const slack = 1e-3 * (high - low);
      const value = action[k]!;
      if (value < low - slack || value > high + slack)
        return `the action ${name} = ${short(value)}, beyond its range ${short(low)} to ${short(high)}`;
    }
    return '';
  }

  #stillness({ observation, next_observation, session, episode }: Transition): string {
    const last = this.#last;
    const goesOn = last !== undefined && last.session === session && last.episode === episode;
    let fault = '';
    for (const [k, { name, limits, mostStill }] of this.#reference.entries()) {
      const value = next_observation[k]!;
      const moved = !goesOn || value !== observation[k] || value <= limits[0] || value >= limits[1];
      this.#still[k] = moved ? 0 : this.#still[k]! + 1;
      if (this.#still[k]! > mostStill) fault = `${name} has not changed for ${this.#still[k]} steps`;
    }
    return fault;
  }

  #clock({ header, session, episode, step }: Transition): string {
    const last = this.#last;
    const [now, before] = [header.stamp, last?.header.stamp];
    if (last === undefined || before === undefined || last.session !== session) return '';
    if (last.episode !== episode || step !== last.step + 1) return '';
    // A stamp of 0 means that the time is not known.
    if ((now.sec === 0 && now.nanosec === 0) || (before.sec === 0 && before.nanosec === 0)) return '';
    const seconds = now.sec - before.sec + (now.nanosec - before.nanosec) / 1e9;
    if (seconds > 0 && seconds < MOST_PERIODS / this.#spec.rateHz) return '';
    return `the clock went on by ${seconds.toFixed(3)} s in one step of ${(1 / this.#spec.rateHz).toFixed(3)} s`;
  }
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

function isSound(
  { observation, next_observation, action }: Transition,
  spec: Pick<RobotSpec, 'observation' | 'action'>,
): boolean {
  const [o, a] = [spec.observation.length, spec.action.length];
  if (observation.length !== o || next_observation.length !== o || action.length !== a) return false;
  for (const numbers of [observation, next_observation, action])
    for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return false;
  return true;
}
