export type { BrokerOptions } from './embedded/broker.js';
export { EmbeddedBroker } from './embedded/broker.js';
export type { FaultPlan, FaultRule } from './embedded/faults.js';
export { createEmbeddedBroker } from './embedded/index.js';
export { checkMessageType, checkName, checkQos, checkServiceType, incompatibility } from './names.js';
export { callHandler, checkTimeout, closedError, type Handler, type ReportError, serviceError } from './shared.js';
export {
  type Closable,
  defaultQos,
  type MessageInfo,
  type Publisher,
  type Qos,
  qos,
  type Transport,
} from './transport.js';
