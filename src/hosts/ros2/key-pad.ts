import { messageOf } from '../../common/index.js';
import type { DiagnosticArray } from '../../messages/index.js';
import { type Request, requests, topics } from '../../nodes/index.js';
import { type Closable, qos, type Transport } from '../../transport/index.js';

/** What a key may mean: a request to the supervisor, the emergency stop and its end, or leaving. */
export type Meaning = Request | 'estop' | 'reset' | 'quit';

/** A terminal as far as it is needed: `line` shows one that the next replaces, `say` one that stays. */
export interface Screen {
  line(text: string): void;
  say(text: string): void;
}

export interface KeyPadOptions {
  readonly transport: Transport;
  readonly screen: Screen;
  /** The key of each meaning; '' for none. */
  readonly keys: Readonly<Record<Meaning, string>>;
  /** The e-stop's topic. */
  readonly estopTopic: string;
  /** Namespace of the robot, without slashes: the diagnostics are of all robots. */
  readonly namespace: string;
}

/** Milliseconds for an answer; beginning an episode may include the check of a policy. */
const CALL_MS = 90_000;

type Values = ReadonlyMap<string, string>;

/** A person at a keyboard: each key is a request to the supervisor, and its answers, counts and rates are shown. */
export class KeyPad {
  readonly #options: KeyPadOptions;
  readonly #lines = new Map<string, Values>();
  readonly #asked = new Set<Promise<void>>();
  readonly #subscription: Closable;
  readonly #estop: { publish(message: { data: boolean }): void };

  constructor(options: KeyPadOptions) {
    const { transport, estopTopic } = options;
    this.#options = options;
    this.#estop = transport.advertise(estopTopic, 'std_msgs/msg/Bool', qos.event);
    this.#subscription = transport.subscribe(
      topics.diagnostics,
      'diagnostic_msgs/msg/DiagnosticArray',
      (message) => this.#take(message),
      qos.event,
    );
  }

  /** Which key does what, in one line. */
  get help(): string {
    const words: Readonly<Record<Meaning, string>> = {
      start: 'start',
      stop: 'end without a verdict',
      success: 'success',
      failure: 'failure',
      discard: 'throw away and do again',
      estop: 'EMERGENCY STOP',
      reset: 'release it',
      quit: 'quit',
    };
    const named = Object.entries(this.#options.keys).filter(([, key]) => key !== '');
    return named.map(([meaning, key]) => `${key === ' ' ? 'space' : key} ${words[meaning as Meaning]}`).join(' · ');
  }

  /**
   * Takes a key. False if the person wants to leave. It waits for no answer: the emergency stop must not stand behind a
   * request that takes long.
   */
  press(key: string): boolean {
    const { keys } = this.#options;
    const meaning = (Object.keys(keys) as Meaning[]).find((each) => keys[each] === key);
    if (key === '\u0003' || key === '\u0004' || meaning === 'quit') return false;
    if (meaning === undefined) return true;
    if (meaning === 'estop') {
      this.#estop.publish({ data: true });
      this.#options.screen.say(`${keys.estop}: the emergency stop is pressed`);
    } else if (meaning === 'reset') {
      this.#estop.publish({ data: false });
      this.#ask(meaning, '/policy/reset_fault');
    } else if (requests.includes(meaning)) this.#ask(meaning, `/supervisor/${meaning}`);
    return true;
  }

  /** Resolves when all requests are answered. */
  async idle(): Promise<void> {
    await Promise.all(this.#asked);
  }

  close(): void {
    this.#subscription.close();
  }

  #ask(meaning: string, service: string): void {
    const asked = this.#call(meaning, service).finally(() => this.#asked.delete(asked));
    this.#asked.add(asked);
  }

  async #call(meaning: string, service: string): Promise<void> {
    const { transport, screen } = this.#options;
    try {
      const { success, message } = await transport.call(service, 'std_srvs/srv/Trigger', {}, { timeoutMs: CALL_MS });
      screen.say(success ? message : `${meaning} is refused: ${message}`);
    } catch (error) {
      screen.say(`${meaning}: ${messageOf(error)}`);
    }
  }

  #take({ status }: DiagnosticArray): void {
    const { namespace, screen } = this.#options;
    for (const name of ['supervisor', 'recorder', 'policy']) {
      const label = namespace === '' ? name : `${namespace}/${name}`;
      const found = status.find((each) => each.name === label);
      if (found === undefined) continue;
      this.#lines.set(name, new Map(found.values.map(({ key, value }) => [key, value])));
      if (name === 'supervisor') screen.line(this.#shown());
    }
  }

  #shown(): string {
    const values = this.#lines.get('supervisor')!;
    const get = (key: string): string => values.get(key) ?? '';
    const wanted = get('wanted') === '0' ? '' : ` of ${get('wanted')}`;
    const left = get('seconds_left') === '' ? '' : ` (${get('seconds_left')} s left)`;
    const rate = get('success_rate') === '' ? '' : ` (${(100 * Number(get('success_rate'))).toFixed(0)} %)`;
    const robot = get('robot') === '' ? 'no policy node heard' : get('robot');
    return [
      `${get('phase')} · episode ${get('episode')} · ${get('seconds')} s${left}`,
      `kept ${get('kept')}${wanted}: ${get('success')} success${rate}, ${get('failure')} failure, ${get('unknown')} open, ${get('discarded')} thrown away`,
      `robot ${robot}${get('robot_reason') === '' ? '' : `: ${get('robot_reason')}`}`,
      ...this.#rates(),
    ].join(' │ ');
  }

  /** Rates of the robot's topics, as the recorder measures them, and of the commands. */
  #rates(): string[] {
    const rates = [...(this.#lines.get('recorder') ?? []), ...(this.#lines.get('policy') ?? [])]
      .filter(([key]) => key.endsWith('_hz') && key !== 'states_hz')
      .map(([key, value]) => `${key.slice(0, -3)} ${value}`);
    return rates.length === 0 ? [] : [`Hz: ${rates.join(', ')}`];
  }
}
