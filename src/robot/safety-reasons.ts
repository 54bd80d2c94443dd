import type { RobotSpec } from './types.js';

const rounded = (ms: number): string => `${ms.toFixed(0)} ms`;

/** Why a robot stands or a person drives it, for people: with the topic, what was found on it, and what is expected. */
export class SafetyReasons {
  /** The e-stop is pressed. */
  readonly estop: string;
  /** The person let go of the button that has to be held while driving. */
  readonly deadman: string;
  readonly takeover: string;
  /** A person's command is not finite. */
  readonly notFinite: string;
  readonly #estopTopic: string;
  readonly #teleop: string;
  readonly #periodMs: number;

  constructor({ estopTopic, deadman, commands, rateHz }: RobotSpec) {
    this.#estopTopic = estopTopic;
    this.#teleop = commands.map(({ teleop }) => teleop.topic).join(', ');
    this.#periodMs = 1000 / rateHz;
    this.estop = `e-stop: ${estopTopic}: data was true, expected false`;
    const button = deadman === undefined ? '' : `: ${deadman.topic}: buttons[${deadman.button}] is not 1, expected 1`;
    this.deadman = `the dead-man button was let go${button}`;
    this.takeover = `a person has taken over, by ${this.#teleop}`;
    this.notFinite = `teleoperation is not finite: ${this.#teleop}: a number is not finite, expected finite numbers`;
  }

  noHeartbeat(timeoutMs: number): string {
    return `no heartbeat of the e-stop yet: ${this.#estopTopic} has not been heard, expected a message every ${rounded(timeoutMs)}`;
  }

  heartbeatMissing(ageMs: number, timeoutMs: number): string {
    return `the heartbeat of the e-stop is missing: ${this.#estopTopic} is ${rounded(ageMs)} old, timeout ${rounded(timeoutMs)}`;
  }

  teleopSilent(ageMs: number, timeoutMs: number): string {
    return `teleoperation went silent: ${this.#teleop} is ${rounded(ageMs)} old, timeout ${rounded(timeoutMs)}`;
  }

  /** `problem`: why the policy gives no action, where that is known. */
  noAction(problem: string | undefined): string {
    return problem ?? `no action of the policy that has not expired, expected one every ${rounded(this.#periodMs)}`;
  }
}
