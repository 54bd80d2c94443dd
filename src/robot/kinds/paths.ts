import { emptyMessage, type MessageTypeName } from '../../messages/index.js';

/**
 * Every path to a single number or truth value in a message of this type, headers left out: twist.linear.x, data, and
 * axes[i] for a number of a list.
 */
export function numericPaths(type: MessageTypeName): string[] {
  const paths: string[] = [];
  const visit = (value: object, prefix: string): void => {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'header') continue;
      if (typeof inner === 'number' || typeof inner === 'boolean') paths.push(prefix + key);
      else if (ArrayBuffer.isView(inner)) paths.push(`${prefix}${key}[i]`);
      else if (typeof inner === 'object' && inner !== null && !Array.isArray(inner))
        visit(inner as object, `${prefix}${key}.`);
    }
  };
  visit(emptyMessage(type), '');
  return paths;
}

/** The path with [i] for the index of a list, as {@link numericPaths} has it. */
export function generalPath(path: string): string {
  return path.replace(/\[\d{1,6}\]/g, '[i]');
}

/** The keys that lead to a number: axes[2] → axes, 2. */
export function pathKeys(path: string): string[] {
  return path.replace(/\[(\d+)\]/g, '.$1').split('.');
}

/** The number at a path that was split by {@link pathKeys}, 1 and 0 for true and false; NaN if the message has none there. */
export function readPath(message: unknown, keys: readonly (string | number)[]): number {
  let value = message;
  for (let i = 0; i < keys.length; i++) {
    if (typeof value !== 'object' || value === null) return Number.NaN;
    value = (value as Readonly<Record<string | number, unknown>>)[keys[i]!];
  }
  return typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : Number.NaN;
}

/** Sets the number at a path that is one of {@link numericPaths} of the message's type. */
export function writePath(message: object, keys: readonly string[], value: number): void {
  let target = message as Record<string, unknown>;
  for (let i = 0; i < keys.length - 1; i++) target = target[keys[i]!] as Record<string, unknown>;
  target[keys.at(-1)!] = value;
}

const unitOfEnd: readonly (readonly [end: RegExp, unit: string])[] = [
  [/(^|\.)linear_acceleration\.[xyz]$/, 'm/s²'],
  [/(^|\.)angular_velocity\.[xyz]$/, 'rad/s'],
  [/(^|\.)linear\.[xyz]$/, 'm/s'],
  [/(^|\.)angular\.[xyz]$/, 'rad/s'],
  [/(^|\.)position\.[xyz]$/, 'm'],
  [/(^|\.)orientation\.[xyzw]$/, '1'],
  [/(^|\.)force\.[xyz]$/, 'N'],
  [/(^|\.)torque\.[xyz]$/, 'N·m'],
  [/(^|\.)steering_angle$/, 'rad'],
  [/(^|\.)steering_angle_velocity$/, 'rad/s'],
  [/(^|\.)speed$/, 'm/s'],
  [/(^|\.)acceleration$/, 'm/s²'],
];

/** The unit that a field of the common message types has by its definition; undefined where it has none of its own. */
export function unitOfPath(path: string): string | undefined {
  return unitOfEnd.find(([end]) => end.test(path))?.[1];
}
