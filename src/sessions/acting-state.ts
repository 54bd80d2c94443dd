import { IqLearnError } from '../common/index.js';
import type { Transition } from '../messages/index.js';
import type { ActionReplay } from '../nodes/index.js';
import type { SessionState } from '../training/index.js';

interface ActingMeta {
  readonly episodes: number;
  readonly drawn: ActionReplay['drawn'];
}

/**
 * How far the simulated robot has come at the end of a segment of transitions: what a training session needs to go on
 * from there bit for bit. A simulator in lockstep is exact, so that the start of the open episode and the commands that
 * were executed in it bring the robot and the safety filter back to where they were.
 */
export class ActingState {
  readonly #actionSize: number;
  /** Episodes that have ended. */
  #episodes: number;
  #drawn: ActionReplay['drawn'];
  /** Commands of the open episode in the robot's units. */
  #commands: Float32Array[];

  /** `from`: what {@link after} gave at the end of the segment to go on from. Throws CORRUPT_DATA where it did not. */
  constructor(actionSize: number, from?: SessionState) {
    this.#actionSize = actionSize;
    this.#episodes = 0;
    this.#drawn = { random: 0, sampled: 0 };
    this.#commands = [];
    if (from === undefined) return;
    const { episodes, drawn } = from.meta as unknown as ActingMeta;
    const { commands } = from.arrays;
    if (!Number.isInteger(episodes) || drawn === undefined || !(commands instanceof Float32Array))
      throw new IqLearnError('CORRUPT_DATA', 'the checkpoint was not written by a training session', {
        expected: "'episodes', 'drawn' and 'commands' of the session",
        remedy: 'resume it with the command that wrote it',
      });
    this.#episodes = episodes;
    this.#drawn = drawn;
    for (let i = 0; i < commands.length; i += actionSize) this.#commands.push(commands.slice(i, i + actionSize));
  }

  get episodes(): number {
    return this.#episodes;
  }

  /** Steps of the open episode. */
  get openSteps(): number {
    return this.#commands.length;
  }

  /** For the policy node of the resumed run. */
  get replay(): ActionReplay {
    return { commands: this.#commands, drawn: this.#drawn };
  }

  /** The state after some more transitions, to be stored with the segment that they are. */
  after(transitions: readonly Transition[]): SessionState {
    let { random, sampled } = this.#drawn;
    for (const { action, policy_version: version, intervention, terminated, truncated } of transitions) {
      this.#commands.push(Float32Array.from(action));
      if (version >= 0n) sampled++;
      else if (!intervention) random++;
      if (!terminated && !truncated) continue;
      this.#episodes++;
      this.#commands = [];
    }
    this.#drawn = { random, sampled };
    const commands = new Float32Array(this.#commands.length * this.#actionSize);
    this.#commands.forEach((command, i) => {
      commands.set(command, i * this.#actionSize);
    });
    return { meta: { episodes: this.#episodes, drawn: this.#drawn }, arrays: { commands } };
  }
}
