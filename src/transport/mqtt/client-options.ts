import type { IClientOptions } from 'mqtt';
import type { MqttOptions } from './options.js';
import type { Publication } from './publication.js';

const CONNECT_TIMEOUT_MS = 10_000;
export const KEEPALIVE_S = 10;

/** What MQTT.js is told for one connection; the broker publishes `will` when the connection is lost. */
export function clientOptions(
  { clientId, credentials, hasManyTopics = false }: MqttOptions,
  protocol: 5 | 4,
  will: Publication | undefined,
): IClientOptions {
  return {
    clientId,
    protocolVersion: protocol,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepalive: KEEPALIVE_S,
    resubscribe: false,
    queueQoSZero: false,
    // A broker remembers about ten aliases: with many topics each would be used once.
    autoAssignTopicAlias: protocol === 5 && !hasManyTopics,
    // Its own log would prepare a line for every step of every packet.
    log: () => {},
    ...(protocol === 5 && { properties: { sessionExpiryInterval: 0, receiveMaximum: 1000 } }),
    ...(credentials && {
      ca: credentials.authority,
      cert: credentials.certificate,
      key: credentials.key,
      rejectUnauthorized: true,
    }),
    ...(will && { will: { topic: will.topic, payload: will.bytes as Buffer, qos: 1, retain: true } }),
  };
}
