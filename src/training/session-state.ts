import type { Checkpoint } from '../platform/index.js';
import type { SessionState } from './process/protocol.js';

const PREFIX = 'session.';

/** A checkpoint with the session's part beside its own; without a session it is as it was. */
export function withSession({ meta, arrays }: Checkpoint, session: SessionState | undefined): Checkpoint {
  if (session === undefined) return { meta, arrays };
  const own = Object.entries(session.arrays).map(([name, array]) => [`${PREFIX}${name}`, array] as const);
  return { meta: { ...meta, session: session.meta }, arrays: { ...arrays, ...Object.fromEntries(own) } };
}

/** The session's part of a generation; undefined where no session gave one. */
export function sessionOf({ meta, arrays }: Checkpoint): SessionState | undefined {
  if (meta.session === undefined) return undefined;
  const own = Object.entries(arrays).flatMap(([name, array]) =>
    name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), array] as const] : [],
  );
  return { meta: meta.session as Checkpoint['meta'], arrays: Object.fromEntries(own) };
}
