/** A message on its way to the broker. */
export interface Publication {
  readonly topic: string;
  readonly bytes: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** The broker drops what it could not deliver within this time (MQTT 5); 0 for never. */
  readonly lifetimeMs: number;
}
