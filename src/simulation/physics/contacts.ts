import type { MjData } from '@mujoco/mujoco';

/** Two geometries that touch, or are about to. */
export interface Contact {
  /** Ids of the two geometries. */
  readonly geom1: number;
  readonly geom2: number;
  /** Metres between their surfaces; negative where one penetrates the other. */
  readonly distance: number;
}

/** Copies the contacts out of MuJoCo's memory. Each handle of the binding is freed, or its memory would never be. */
export function contactsOf(data: MjData): Contact[] {
  const vector = data.contact;
  try {
    return Array.from({ length: vector.size() }, (_, i) => {
      const contact = vector.get(i)!;
      try {
        return { geom1: contact.geom1, geom2: contact.geom2, distance: contact.dist };
      } finally {
        contact.delete();
      }
    });
  } finally {
    vector.delete();
  }
}
