/** How the connection stands. */
export interface ConnectionState {
  readonly connected: boolean;
  /** Version of MQTT that is spoken, or null before the first connection. */
  readonly protocol: '5' | '3.1.1' | null;
  /** Number of times that the connection was made. */
  readonly connections: number;
  /** Why it is not there; empty while it is. */
  readonly reason: string;
}
