/** A message on its way to the broker. */
export interface Publication {
  readonly topic: string;
  readonly bytes: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** The broker drops what it could not deliver within this time (MQTT 5); 0 for never. */
  readonly lifetimeMs: number;
  /** `traceparent`, for brokers that have MQTT 5. */
  readonly userProperties?: Record<string, string>;
}

/** What MQTT 5 carries beside a message; nothing in MQTT 3.1.1. */
export function propertiesOf({ lifetimeMs, userProperties }: Publication, protocol: 5 | 4) {
  if (protocol !== 5) return {};
  return {
    properties: {
      ...(lifetimeMs > 0 && { messageExpiryInterval: Math.ceil(lifetimeMs / 1000) }),
      ...(userProperties && { userProperties }),
    },
  };
}
