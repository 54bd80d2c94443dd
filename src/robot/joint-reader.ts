import type { JointState } from '../messages/index.js';
import { noNumber, type Refused, refuse } from './readers.js';
import type { JointQuantity } from './types.js';

export interface JointSlot {
  readonly joint: string;
  readonly quantity: JointQuantity;
  readonly slot: number;
}

/**
 * Joints by name, in whatever order the messages have them and spread over however many messages: an arm and its
 * gripper may publish on one topic. `parts` are the joints that features need, each with a time of its own.
 */
export class JointReader {
  readonly parts: readonly string[];
  readonly #jointsOf: (message: unknown) => JointState;
  /** The slots of each part. */
  readonly #slots: readonly (readonly JointSlot[])[];
  /** Where each part was found in the message before; the order of names rarely changes. */
  readonly #found: Int32Array;
  #selected: number[] = [];

  constructor(jointsOf: (message: unknown) => JointState, slots: readonly JointSlot[]) {
    this.parts = [...new Set(slots.map(({ joint }) => joint))];
    this.#jointsOf = jointsOf;
    this.#slots = this.parts.map((part) => slots.filter(({ joint }) => joint === part));
    this.#found = new Int32Array(this.parts.length).fill(-1);
  }

  /** The parts that a message names, by their index. */
  select(message: unknown): readonly number[] {
    const names = this.#jointsOf(message).name;
    this.#selected = [];
    for (let part = 0; part < this.parts.length; part++) {
      const joint = this.parts[part]!;
      let at = this.#found[part]!;
      if (names[at] !== joint) {
        at = names.indexOf(joint);
        this.#found[part] = at;
      }
      if (at >= 0) this.#selected.push(part);
    }
    return this.#selected;
  }

  /** Copies the numbers of the selected parts into `out`. Returns why they cannot be used, or null. */
  read(message: unknown, out: Float64Array): Refused | null {
    const state = this.#jointsOf(message);
    for (const part of this.#selected) {
      const slots = this.#slots[part]!;
      for (let i = 0; i < slots.length; i++) {
        const { joint, quantity, slot } = slots[i]!;
        const list = state[quantity];
        if (list.length !== state.name.length) return shortList(quantity, list.length, state.name, this.parts);
        const value = list[this.#found[part]!]!;
        const refused = noNumber(`${quantity} of ${joint}`, value);
        if (refused !== null) return refused;
        out[slot] = value;
      }
    }
    return null;
  }

  /** Why a message does not complete the state: the parts in `missing` have not been heard. */
  lacking(message: unknown, missing: readonly string[]): Refused {
    const names = this.#jointsOf(message).name.join(', ') || 'none';
    return refuse(
      'incomplete',
      'name',
      names,
      missing.join(', '),
      `lacks the joints ${missing.join(', ')} (it has ${names})`,
    );
  }
}

function shortList(
  quantity: JointQuantity,
  length: number,
  names: readonly string[],
  needed: readonly string[],
): Refused {
  const hint = quantity === 'velocity' && length === 0 ? '; `from: position` at the feature computes it' : '';
  const text = `${quantity} has ${length} numbers for ${names.length} joints, expected one for each of ${needed.join(', ')}${hint}`;
  return refuse('incomplete', quantity, `${length} numbers for ${names.length} joints`, 'one for every joint', text);
}
