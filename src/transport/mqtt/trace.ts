import { randomBytes } from 'node:crypto';

/** The user property that carries a trace, as the W3C names it (Trace Context, level 1). */
const PROPERTY = 'traceparent';

const PATTERN = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Bytes of one identity of a trace and one of a message, and how many of both are drawn at once. */
const IDENTITY_BYTES = 24;
const DRAWN = 256;

let drawn = '';
let used = 0;

/** 48 random hexadecimal digits. They are drawn many at once: each call for random bytes costs more than a small message. */
function identities(): string {
  if (used === drawn.length) {
    drawn = randomBytes(IDENTITY_BYTES * DRAWN).toString('hex');
    used = 0;
  }
  used += 2 * IDENTITY_BYTES;
  return drawn.slice(used - 2 * IDENTITY_BYTES, used);
}

const isTrace = (trace: string): boolean => /^[0-9a-f]{32}$/.test(trace) && !/^0+$/.test(trace);

/**
 * The user properties of one message: `traceparent` with the trace that it belongs to, or a new one, and an identity of its
 * own. Whoever listens in between can join what both ends log about it.
 */
export function traceProperties(trace?: string): Record<string, string> {
  const bytes = identities();
  const own = trace !== undefined && isTrace(trace) ? trace : bytes.slice(0, 32);
  return { [PROPERTY]: `00-${own}-${bytes.slice(32)}-01` };
}

/** The trace in a message's user properties, 32 hexadecimal digits; undefined where there is none that is right. */
export function traceOf(properties: { readonly userProperties?: unknown } | undefined): string | undefined {
  const value = (properties?.userProperties as Record<string, unknown> | undefined)?.[PROPERTY];
  const trace = typeof value === 'string' ? PATTERN.exec(value)?.[1] : undefined;
  return trace !== undefined && isTrace(trace) ? trace : undefined;
}
