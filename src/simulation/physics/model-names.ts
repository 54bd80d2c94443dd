import type { MjModel } from '@mujoco/mujoco';
import { unknownName } from '../../common/index.js';

/** The binding's accessor and count of each kind of object. */
const KINDS = {
  joint: ['jnt', 'njnt'],
  actuator: ['actuator', 'nu'],
  body: ['body', 'nbody'],
  geom: ['geom', 'ngeom'],
  site: ['site', 'nsite'],
  sensor: ['sensor', 'nsensor'],
} as const;

export type ObjectKind = keyof typeof KINDS;

/** The names of all objects of a kind, by id; '' for an unnamed one (of which mj_id2name returns garbage). */
export function namesOf(model: MjModel, kind: ObjectKind): string[] {
  const [accessor, count] = KINDS[kind];
  return Array.from({ length: model[count] }, (_, id) => {
    const object = model[accessor](id);
    try {
      return object.name;
    } finally {
      object.delete();
    }
  });
}

/** Throws NOT_FOUND, with the nearest name. */
export function idOf(model: MjModel, kind: ObjectKind, name: string): number {
  const names = namesOf(model, kind);
  const id = name === '' ? -1 : names.indexOf(name);
  if (id < 0)
    throw unknownName(
      kind,
      name,
      names.filter((known) => known !== ''),
    );
  return id;
}
