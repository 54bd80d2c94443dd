import { type BrokerOptions, EmbeddedBroker } from './broker.js';
import type { Participant, ParticipantOptions } from './participant.js';

export type { BrokerOptions, EmbeddedBroker } from './broker.js';
export type { FaultCounters, FaultPlan, FaultRule } from './faults.js';
export type { Participant as EmbeddedTransport, ParticipantOptions } from './participant.js';
export { connectEmbedded } from './port-client.js';
export type { TopicCounters } from './topic.js';

/** Topics and services in this process; nodes `connect` to it, worker threads are `attach`ed. */
export function createEmbeddedBroker(options: BrokerOptions = {}): EmbeddedBroker {
  return new EmbeddedBroker(options);
}

/** A transport on a broker of its own, or with others on `broker`. Throws INVALID_ARGUMENT for a wrong fault plan. */
export function createEmbeddedTransport(
  options: BrokerOptions & ParticipantOptions & { readonly broker?: EmbeddedBroker } = {},
): Participant {
  return (options.broker ?? new EmbeddedBroker(options)).connect(options);
}
