import { wallClockNs } from '../../common/index.js';
import { ownVersion } from '../../platform/index.js';
import { Sealer } from './envelope.js';
import { TopicNames } from './names.js';
import type { Publication } from './publication.js';

/** Whether one end of a link is there, as in VDA 5050. The broker publishes the last one for an end that went silent. */
export type PresenceState = 'ONLINE' | 'OFFLINE' | 'CONNECTIONBROKEN';

const SEQUENCE: Readonly<Record<PresenceState, bigint>> = { ONLINE: 0n, OFFLINE: 1n, CONNECTIONBROKEN: 2n };

/**
 * The retained message that says how one end stands. Each connection is a sender of its own, so that what the broker
 * publishes for a connection that was lost is never taken for something newer than the next connection's ONLINE.
 */
export function presence(
  fleet: string,
  robot: string,
  sender: string,
  connection: number,
  state: PresenceState,
): Publication {
  const sealer = new Sealer(robot, `${sender}.${connection}`, 'iq_learn_link/msg/Presence', SEQUENCE[state]);
  const bytes = sealer.seal({ robot, state, sender, since_ns: wallClockNs(), version: ownVersion() });
  return { topic: new TopicNames(fleet, robot).topic('/presence'), bytes, qos: 1, retain: true, lifetimeMs: 0 };
}
