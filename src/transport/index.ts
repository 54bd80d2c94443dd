export {
  BaseTransport,
  type PublisherEndpoint,
  type ServiceHandler,
  type SubscriptionRequest,
} from './base/base-transport.js';
export { checkQos, incompatibility } from './base/checks.js';
export type { ReportError } from './base/delivery.js';
export { otherServiceType, secondServer, serverGone, serviceError } from './base/errors.js';
export type { PendingCall } from './base/pending-call.js';
export { type BrokerOptions, EmbeddedBroker } from './embedded/broker.js';
export type { EmbeddedTransport } from './embedded/embedded-transport.js';
export type { FaultPlan, FaultRule } from './embedded/faults.js';
export type { MqttConnection } from './mqtt/connection.js';
export type { ConnectionState } from './mqtt/connection-state.js';
export type { TopicLimits } from './mqtt/envelope.js';
export { type MqttCounters, MqttTransport } from './mqtt/mqtt-transport.js';
export { checkLevel, LEARNER } from './mqtt/names.js';
export { openMqtt } from './mqtt/open.js';
export { isLoopback, type MqttCredentials, type MqttOptions } from './mqtt/options.js';
export {
  type Closable,
  defaultQos,
  type MessageInfo,
  type Publisher,
  type Qos,
  qos,
  type RequestedQos,
  type Transport,
  type TransportCapabilities,
  type Unheard,
} from './transport.js';
