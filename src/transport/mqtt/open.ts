import { IqLearnError, messageOf } from '../../common/index.js';
import { MqttConnection } from './connection.js';
import type { MqttOptions } from './options.js';

/**
 * A connection to a broker, which is made in the background and whenever it is lost. The MQTT client is loaded here and
 * nowhere else. Throws INVALID_ARGUMENT for names and for brokers that are not safe, UNAVAILABLE where the client
 * cannot be loaded.
 */
export async function openMqtt(options: MqttOptions): Promise<MqttConnection> {
  let mqtt: typeof import('mqtt');
  try {
    mqtt = await import('mqtt');
  } catch (cause) {
    throw new IqLearnError('UNAVAILABLE', 'the MQTT client cannot be loaded', {
      found: messageOf(cause),
      expected: 'the npm package mqtt',
      remedy: 'npm ci',
      cause,
    });
  }
  return new MqttConnection(options, mqtt.connect);
}
