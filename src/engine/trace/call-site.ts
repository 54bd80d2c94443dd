import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiled = fileURLToPath(new URL('..', import.meta.url));
/** The engine's folder as it runs and, where stacks are mapped to the sources, as it is written. */
const engineFolders = [compiled, compiled.replace(`${sep}dist${sep}`, sep)];
const ofTfjs = /[\\/]@tensorflow[\\/]|(^|[\\/( ])tfjs-[a-z-]+[\\/]src[\\/]/;

/** The user's line in a stack: the first frame outside the engine, tfjs and Node, as `function (file:line:column)`. */
export function callSite(stack: string | undefined): string {
  for (const line of (stack ?? '').split('\n').slice(1)) {
    const frame = line.trim().replace(/^at /, '');
    const path = frame.replaceAll('file://', '');
    if (!/:\d+:\d+\)?$/.test(path) || path.includes('node:')) continue;
    if (ofTfjs.test(path) || engineFolders.some((folder) => path.includes(folder))) continue;
    return path;
  }
  return 'an unknown place';
}

/** Runs `f` with stacks deep enough to reach the user's line through tfjs. */
export function withDeepStacks<T>(f: () => T): T {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 200;
  try {
    return f();
  } finally {
    Error.stackTraceLimit = before;
  }
}
