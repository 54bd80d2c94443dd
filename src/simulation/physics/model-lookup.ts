import type { MjModel } from '@mujoco/mujoco';
import { IqLearnError, unknownName } from '../../common/index.js';

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

/** A live array of the model by its C name (`body_mass`, `geom_friction`, …). Throws NOT_FOUND. */
export function arrayOf(model: MjModel, field: string): Float64Array {
  let value: unknown;
  try {
    value = (model as unknown as Record<string, unknown>)[field];
  } catch {
    // The binding cannot give arrays of booleans.
  }
  if (!ArrayBuffer.isView(value))
    throw new IqLearnError('NOT_FOUND', 'the model has no such array', {
      found: `'${field}'`,
      expected: "an array of numbers of MuJoCo's mjModel",
    });
  return value as Float64Array;
}

/** A number of the model's options by its C name (`iterations`, `tolerance`, …). Throws NOT_FOUND. */
export function optionOf(model: MjModel, name: string): number {
  const value = (model.opt as unknown as Record<string, unknown>)[name];
  if (typeof value !== 'number')
    throw new IqLearnError('NOT_FOUND', 'the model has no such option', {
      found: `'${name}'`,
      expected: "a number of MuJoCo's mjOption",
    });
  return value;
}
