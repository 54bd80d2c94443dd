import { IqLearnError } from '../../common/index.js';

export function unreachable(broker: string, found: string, expected: string): IqLearnError {
  return new IqLearnError('UNAVAILABLE', `no connection to ${broker}`, {
    found,
    expected,
    remedy: 'start one (iq-learn link broker), or check its address and the certificates; it is tried again and again',
  });
}

const ACCESS_REMEDY =
  'check the access rules of the broker for this client; where an older iq-learn made them they lack what is needed now: iq-learn link access --link link/learner.yaml, then copy broker/ to the broker and have it read them again';

export function refusedSubscriptions(topics: readonly string[], found: string): IqLearnError {
  return new IqLearnError('UNAVAILABLE', `the broker refuses the subscription of ${topics.join(', ')}`, {
    found,
    expected: `the permission to read ${topics.length === 1 ? 'this topic' : 'these topics'}`,
    remedy: ACCESS_REMEDY,
  });
}

export function refusedPublication(topic: string, found: string): IqLearnError {
  return new IqLearnError('UNAVAILABLE', `the broker refuses what is published on ${topic}`, {
    found,
    expected: 'the permission to write this topic',
    remedy: ACCESS_REMEDY,
  });
}

export function takenOver(client: string, found: string): IqLearnError {
  return new IqLearnError('CONFLICT', 'the broker ends the connection again and again', {
    found,
    expected: `one client with the name ${client}`,
    remedy: 'give every robot files of its own (iq-learn link init), and run one gateway a robot',
  });
}

export function lacksMqtt5(broker: string, found: string): IqLearnError {
  return new IqLearnError('UNSUPPORTED', `the broker ${broker} has no MQTT 5; MQTT 3.1.1 is used`, {
    found,
    expected: 'MQTT 5',
    remedy:
      'nothing that the link promises is lost; the broker does not drop what became too old (the receiver does), and says less about why it refuses something',
  });
}
