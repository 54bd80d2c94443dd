import { emptyMessage, type MessageTypeName } from '../../messages/index.js';

/** Every path to a single number in a message of this type, headers left out: twist.linear.x, … */
export function numericPaths(type: MessageTypeName): string[] {
  const paths: string[] = [];
  const visit = (value: object, prefix: string): void => {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'header') continue;
      if (typeof inner === 'number') paths.push(prefix + key);
      else if (typeof inner === 'object' && inner !== null && !Array.isArray(inner) && !ArrayBuffer.isView(inner))
        visit(inner as object, `${prefix}${key}.`);
    }
  };
  visit(emptyMessage(type), '');
  return paths;
}

/** The number at a path that was split at its dots; NaN if the message has no number there. */
export function readPath(message: unknown, keys: readonly string[]): number {
  let value = message;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null) return Number.NaN;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return typeof value === 'number' ? value : Number.NaN;
}

/** Sets the number at a path that is one of {@link numericPaths} of the message's type. */
export function writePath(message: object, keys: readonly string[], value: number): void {
  let target = message as Record<string, unknown>;
  for (let i = 0; i < keys.length - 1; i++) target = target[keys[i]!] as Record<string, unknown>;
  target[keys.at(-1)!] = value;
}
