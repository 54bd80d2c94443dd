import { randomUUID } from 'node:crypto';
import { IqLearnError } from '../../common/index.js';
import { FLEET_SERVICE, type LearnerLinkFile } from '../../link/index.js';
import type { ServiceTypes } from '../../messages/index.js';
import { LEARNER, MqttTransport, openMqtt } from '../../transport/index.js';
import type { OpenedLink } from './link-file.js';

const TIMEOUT_MS = 10_000;

/**
 * Asks the learner of a link to do something about its fleet, with the learner's certificate, and gives what it says. Throws
 * UNAVAILABLE where the broker or the learner cannot be reached, CONFLICT where the learner does not do it.
 */
export async function requestOfFleet(
  link: OpenedLink<LearnerLinkFile>,
  request: ServiceTypes['iq_learn_link/srv/FleetRequest']['request'],
): Promise<string> {
  const { presence: _, ...mqtt } = link.mqtt({
    clientId: `${link.file.fleet}-request-${randomUUID()}`,
    onError: () => {},
  });
  const connection = await openMqtt(mqtt);
  const transport = new MqttTransport(connection, LEARNER);
  try {
    await connection.connected(TIMEOUT_MS);
    const { success, message } = await transport.call(FLEET_SERVICE, 'iq_learn_link/srv/FleetRequest', request, {
      timeoutMs: TIMEOUT_MS,
    });
    if (!success)
      throw new IqLearnError('CONFLICT', `the learner does not ${request.verb}`, {
        found: message,
        remedy: 'see how the fleet stands with: iq-learn link status',
      });
    return message;
  } finally {
    await transport.close();
    await connection.end();
  }
}
