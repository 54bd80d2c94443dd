import type { MessageTypeName } from '../../messages/index.js';
import { type Closable, qos } from '../../transport/index.js';
import type { InputOptions } from './robot-input.js';

const PERIOD_MS = 1000;

/**
 * Listens to another that publishes on a command topic of this node, and only while there is one: what this node sends
 * comes back to it, and would cost as much as the state of a robot.
 */
export class OtherCommands implements Closable {
  readonly #options: Pick<InputOptions, 'transport' | 'commands' | 'log' | 'loop'>;
  readonly #topics: readonly { readonly topic: string; readonly type: MessageTypeName }[];
  readonly #heard = new Map<string, Closable>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: InputOptions) {
    this.#options = options;
    this.#topics = options.spec.commands;
    this.#timer = setInterval(() => this.#look(), PERIOD_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const heard of this.#heard.values()) heard.close();
  }

  #look(): void {
    const { transport } = this.#options;
    for (const { topic, type } of this.#topics) {
      const isAlone = transport.publishersOf(topic) === 1;
      const heard = this.#heard.get(topic);
      if (isAlone === (heard === undefined)) continue;
      this.#options.commands.foreign.listen(topic, !isAlone);
      heard?.close();
      if (isAlone) this.#heard.delete(topic);
      else this.#heard.set(topic, this.#listen(topic, type));
    }
  }

  #listen(topic: string, type: MessageTypeName): Closable {
    const { transport, commands, log, loop } = this.#options;
    const hear = (message: unknown, receivedNs: bigint): void => {
      if (loop() === undefined) return;
      const said = commands.foreign.hear(topic, message, receivedNs);
      if (said !== null) log.contested(said);
    };
    const quality = { ...qos.sensor, depth: 100 };
    return transport.subscribe(topic, type, (message, { receivedNs }) => hear(message, receivedNs), quality);
  }
}
