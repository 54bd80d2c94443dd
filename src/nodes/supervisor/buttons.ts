import type { Joy } from '../../messages/index.js';

/** What a person asks of the supervisor, by key, button or service. */
export const requests = ['start', 'stop', 'success', 'failure', 'discard'] as const;
export type Request = (typeof requests)[number];

/** Turns the buttons of a joystick into requests: each press is one, however long the button is held. */
export class Buttons {
  readonly #numbers: Readonly<Record<Request, number>>;
  /** Pressed buttons of the last message; undefined before the first, whose buttons may have been held for long. */
  #pressed: ReadonlySet<Request> | undefined;

  /** `numbers`: the button of each request; −1 for none. */
  constructor(numbers: Readonly<Record<Request, number>>) {
    this.#numbers = numbers;
  }

  /** The requests of the buttons that were pressed since the last message. */
  take({ buttons }: Joy): Request[] {
    const before = this.#pressed;
    this.#pressed = new Set(requests.filter((request) => buttons[this.#numbers[request]] === 1));
    return before === undefined ? [] : [...this.#pressed].filter((request) => !before.has(request));
  }
}
