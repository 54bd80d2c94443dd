import type { MqttClient } from 'mqtt';
import { KEEPALIVE_S } from './client-options.js';

/** Between two times that what has come is taken as a sign of life, as a share of the keepalive. */
const SHARE = 1 / 4;

/**
 * To be called with each packet that comes: has MQTT.js take it as a sign of life. By itself it closes a connection on which
 * the answer to its ping does not come within half the keepalive, whatever else does; and that answer waits in the broker
 * behind all that a learner which is behind has not read yet. With the connection all of it would be lost, and sent again.
 *
 * What MQTT.js takes as a sign of life puts its next ping off. So one is sent here: a broker ends the connection of a client
 * that it does not hear of.
 */
export function signsOfLife(
  client: Pick<MqttClient, 'sendPing' | 'reschedulePing'>,
  nowMs: () => number = () => performance.now(),
): () => void {
  let noted = nowMs();
  return () => {
    const now = nowMs();
    if (now - noted < 1000 * KEEPALIVE_S * SHARE) return;
    noted = now;
    client.sendPing();
    client.reschedulePing(true);
  };
}
