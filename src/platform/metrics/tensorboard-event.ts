import protobuf from 'protobufjs';

/** An event of a TensorBoard file: one of the three kinds that iq_learn writes. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number;
  /** The first event of every file. */
  readonly fileVersion?: string;
  /** Scalars by tag. */
  readonly summary?: { readonly value: readonly { readonly tag: string; readonly simpleValue: number }[] };
  /** Status 1 is START: a run goes on at `step`, and readers drop what they read of this step and later ones. */
  readonly sessionLog?: { readonly status: number };
}

/** The part of tensorflow/core/util/event.proto and framework/summary.proto that is written here. */
const root = protobuf.Root.fromJSON({
  nested: {
    Value: {
      fields: { tag: { type: 'string', id: 1 }, simpleValue: { type: 'float', id: 2 } },
      // In the original, too, this is one of several kinds of values: only as such is a 0 written at all.
      oneofs: { value: { oneof: ['simpleValue'] } },
    },
    Summary: { fields: { value: { rule: 'repeated', type: 'Value', id: 1 } } },
    SessionLog: { fields: { status: { type: 'int32', id: 1 } } },
    Event: {
      fields: {
        wallTime: { type: 'double', id: 1 },
        step: { type: 'int64', id: 2 },
        fileVersion: { type: 'string', id: 3 },
        summary: { type: 'Summary', id: 5 },
        sessionLog: { type: 'SessionLog', id: 7 },
      },
    },
  },
});
const eventType = root.lookupType('Event');

export function encodeEvent(event: TensorBoardEvent): Uint8Array {
  return eventType.encode(eventType.fromObject(event)).finish();
}

/** Throws what protobufjs throws on bytes that are no event. */
export function decodeEvent(bytes: Uint8Array): TensorBoardEvent {
  return eventType.toObject(eventType.decode(bytes), { longs: Number }) as TensorBoardEvent;
}
