import { IqLearnError } from '../../common/index.js';
import type { TopicLimits } from './envelope.js';

/** Texts of PEM files: a client proves with its own certificate who it is, and trusts one authority only. */
export interface MqttCredentials {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export interface MqttOptions {
  /** URL of the broker: mqtts://host:8883, or mqtt://127.0.0.1:1883 with `plaintext`. */
  readonly broker: string;
  readonly fleet: string;
  /**
   * Names this client to the broker, which keeps one client of a name and ends the connection of an older one. A robot's
   * end uses the robot's name.
   */
  readonly clientId: string;
  readonly credentials?: MqttCredentials;
  /** Allows mqtt:// without TLS, to this machine only. */
  readonly plaintext?: boolean;
  /** Says under this name (of a robot, or `learner`) that the client is there: ONLINE, OFFLINE or CONNECTIONBROKEN. */
  readonly presence?: string;
  /** Limits of a ROS topic's messages; `defaultLimits` where none are given. */
  readonly limits?: (topic: string) => TopicLimits;
  /** Whether this client publishes on more topics than a broker remembers short names of. */
  readonly hasManyTopics?: boolean;
  /** Random numbers in 0…1 for the waits between attempts to connect. */
  readonly random?: () => number;
  /** Takes errors that have no caller. Default: the log. */
  readonly onError?: (error: IqLearnError) => void;
  /** Longest wait between two attempts to connect, in milliseconds. */
  readonly longestWaitMs?: number;
}

/** Of topics that nothing else is known about. */
export const defaultLimits: TopicLimits = { maxBytes: 64 * 1024 * 1024, lifetimeMs: 0 };

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether the host of a broker's URL is this machine. */
export function isLoopback(broker: string): boolean {
  return LOOPBACK.has(new URL(broker).hostname);
}

/**
 * Throws INVALID_ARGUMENT unless the broker is reached by TLS with a certificate of our own, or is on this machine and
 * plaintext was asked for. There is no other exception.
 */
export function checkSecurity({ broker, credentials, plaintext = false }: MqttOptions): void {
  let url: URL;
  try {
    url = new URL(broker);
  } catch (cause) {
    throw new IqLearnError('INVALID_ARGUMENT', 'not the URL of a broker', {
      found: `'${broker}'`,
      expected: 'mqtts://host:8883',
      cause,
    });
  }
  if (url.protocol === 'mqtts:') {
    if (credentials !== undefined) return;
    throw new IqLearnError('INVALID_ARGUMENT', 'a broker over TLS needs credentials', {
      found: `${broker} without them`,
      expected: 'the certificate of the authority, and a certificate and key of this end',
      remedy: 'make them with: iq-learn link init',
    });
  }
  if (url.protocol !== 'mqtt:')
    throw new IqLearnError('INVALID_ARGUMENT', 'not the URL of a broker', {
      found: `'${broker}'`,
      expected: 'mqtts://host:8883',
    });
  if (!isLoopback(broker))
    throw new IqLearnError('INVALID_ARGUMENT', 'a broker without TLS is refused', {
      found: broker,
      expected: 'mqtts://, or a broker on this machine',
      remedy:
        'anybody on the way could read what is sent and replace policies; make certificates with: iq-learn link init',
    });
  if (!plaintext)
    throw new IqLearnError('INVALID_ARGUMENT', 'a broker without TLS is refused', {
      found: broker,
      expected: 'mqtts://, or plaintext asked for explicitly',
      remedy: 'on this machine it can be allowed: plaintext: true',
    });
}
