/** What kind of thing is wrong. */
export type RefusalKind = 'notFinite' | 'incomplete' | 'wrongFrame' | 'contradictory';

/** Why a message of a topic cannot be used. `topic`, `field`, `found` and `expected` are for programs, `text` for people. */
export interface Refusal {
  readonly kind: RefusalKind;
  readonly topic: string;
  /** The path of the field in the message; empty where the whole message is meant. */
  readonly field: string;
  readonly found: string;
  readonly expected: string;
  /** A clause without the topic, as: twist.linear.x is NaN, expected a finite number. */
  readonly text: string;
}

/** A refusal, and how many messages were refused for the same reason. */
export interface CountedRefusal {
  readonly refusal: Refusal;
  readonly count: number;
}

/** The sentence of a refusal, the same on a live robot and of a recording. */
export function describeRefusal({ topic, text }: Refusal): string {
  return `${topic}: ${text}`;
}

/** A refusal whose text is made of its parts. */
export function refusal(
  kind: RefusalKind,
  topic: string,
  field: string,
  found: string,
  expected: string,
  text = `${field === '' ? '' : `${field} is `}${found}, expected ${expected}`,
): Refusal {
  return { kind, topic, field, found, expected, text };
}

/** Counts refusals by topic, field and kind. The first of each is kept as the example. */
export class RefusalCounts {
  readonly #counted = new Map<string, { readonly refusal: Refusal; count: number }>();

  /** Returns true if it is the first of its kind. */
  add(refusal: Refusal): boolean {
    const key = `${refusal.topic}\n${refusal.kind}\n${refusal.field}`;
    const known = this.#counted.get(key);
    if (known === undefined) this.#counted.set(key, { refusal, count: 1 });
    else known.count += 1;
    return known === undefined;
  }

  /** The most frequent first. */
  get list(): CountedRefusal[] {
    return [...this.#counted.values()].map((each) => ({ ...each })).sort((a, b) => b.count - a.count);
  }
}
