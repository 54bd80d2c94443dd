import type { Jog } from './kinds/message-kind.js';
import { commandKind } from './kinds/registry.js';
import type { RobotSpec, TopicSpec } from './types.js';

/** What a person's jogs command a part of the robot, which they say relative to where it is. */
export class JoggedPart {
  readonly #spec: RobotSpec;
  readonly #read: (message: unknown) => Jog;
  #newest: Jog | undefined;
  #speeds: Float64Array;
  /** Steps that were asked since the last target. */
  readonly #steps: Float64Array;

  constructor(spec: RobotSpec, read: (message: unknown) => Jog) {
    this.#spec = spec;
    this.#read = read;
    this.#speeds = new Float64Array(spec.action.length);
    this.#steps = new Float64Array(spec.action.length);
  }

  /** Reads a message; gives the speeds that it comes to over a control period. Throws what reading it throws. */
  fromMessage(message: unknown): Float32Array {
    this.#newest = this.#read(message);
    const { speeds, steps } = this.#newest;
    return Float32Array.from(speeds, (speed, i) => speed + steps[i]! * this.#spec.rateHz);
  }

  /** The message that was read last counts. Its speeds replace those before; its steps add to those not yet made. */
  accept(): void {
    if (this.#newest === undefined) return;
    this.#speeds = this.#newest.speeds;
    for (const [i, step] of this.#newest.steps.entries()) this.#steps[i]! += step;
    this.#newest = undefined;
  }

  /**
   * What is commanded now: positions `seconds` of the speeds and all steps on from the last command, or velocities, of
   * which a step takes a control period. Steps are made by this.
   */
  target(seconds: number, current: readonly number[]): Float32Array {
    const { action, rateHz } = this.#spec;
    const out = Float32Array.from(action, ({ quantity, low, high }, i) => {
      const speed = this.#speeds[i]!;
      const step = this.#steps[i]!;
      const wanted = quantity === 'position' ? current[i]! + speed * seconds + step : speed + step * rateHz;
      return Math.min(Math.max(wanted, low), high);
    });
    this.#steps.fill(0);
    return out;
  }

  reset(): void {
    this.#newest = undefined;
    this.#speeds = new Float64Array(this.#speeds.length);
    this.#steps.fill(0);
  }
}

/** Reads a part's jogs, where its teleoperation sends such; undefined where it sends whole commands. */
export function joggedPart(spec: RobotSpec, teleop: TopicSpec): JoggedPart | undefined {
  const kind = commandKind(teleop.type);
  if (kind.addresses !== 'joints' || kind.jog === undefined) return undefined;
  return new JoggedPart(spec, kind.jog(spec, teleop));
}
