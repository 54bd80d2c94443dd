import { readable } from '../common/index.js';
import type { JointState } from '../messages/index.js';
import { noNumber, type Refused, refuse } from './readers.js';
import { type Ranged, Rivals, rivalsRefused } from './rivals.js';
import type { JointQuantity } from './types.js';

export interface JointSlot {
  readonly joint: string;
  readonly quantity: JointQuantity;
  readonly slot: number;
  /** Of a position: its unit and limits, by which publishers that contradict each other are known. */
  readonly ranged?: Ranged;
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
  /** By part, the slot of its position, what is said of it, and whether two publishers contradict each other there. */
  readonly #watched: readonly (
    | { readonly slot: number; readonly rivals: Rivals; refused: Refused | null }
    | undefined
  )[];

  constructor(jointsOf: (message: unknown) => JointState, slots: readonly JointSlot[]) {
    this.parts = [...new Set(slots.map(({ joint }) => joint))];
    this.#jointsOf = jointsOf;
    this.#slots = this.parts.map((part) => slots.filter(({ joint }) => joint === part));
    this.#found = new Int32Array(this.parts.length).fill(-1);
    this.#watched = this.#slots.map((own) => {
      const position = own.find(({ ranged }) => ranged !== undefined);
      return position && { slot: position.slot, rivals: new Rivals(position.ranged!), refused: null };
    });
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
      const own = this.parts[part]!;
      if (state.name.indexOf(own) !== state.name.lastIndexOf(own))
        return refuse('contradictory', 'name', `${own} twice`, 'each joint once', `names ${own} twice, expected once`);
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

  /** Compares what was read of the selected parts with what others have said of them. */
  rivals(values: Float64Array, nowNs: bigint): Refused | null {
    let found: Refused | null = null;
    for (const part of this.#selected) {
      const watched = this.#watched[part];
      if (watched === undefined) continue;
      const both = watched.rivals.take(values[watched.slot]!, nowNs);
      watched.refused = both === null ? null : rivalsRefused(this.parts[part]!, both);
      found ??= watched.refused;
    }
    return found;
  }

  /** The contradiction of two publishers about a joint, as of the newest messages that name it. */
  get contradicted(): Refused | null {
    for (const watched of this.#watched) if (watched !== undefined && watched.refused !== null) return watched.refused;
    return null;
  }

  forget(): void {
    for (const watched of this.#watched) {
      if (watched === undefined) continue;
      watched.rivals.forget();
      watched.refused = null;
    }
  }

  /** Why a message does not complete the state: the parts in `missing` have not been heard. */
  lacking(message: unknown, missing: readonly string[]): Refused {
    const names = readable(this.#jointsOf(message).name.join(', '), 1000) || 'none';
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
