import { IqLearnError, messageOf } from '../../common/index.js';
import type { MessageInfo } from '../transport.js';

/** A message on its way to a subscriber. */
export interface Delivery {
  readonly message: unknown;
  /** Arrival time on the steady clock, in nanoseconds. */
  readonly receivedNs: bigint;
  readonly trace?: string;
}

export type Handler = (message: never, info: MessageInfo) => unknown;
export type ReportError = (error: IqLearnError) => void;

/** Calls a subscriber's handler. An error that it throws, or rejects with later, goes to `report` and nowhere else. */
export function callHandler(handler: Handler, delivery: Delivery, topic: string, report: ReportError): void {
  const failed = (cause: unknown): void =>
    report(
      new IqLearnError('INTERNAL', `a handler of ${topic} failed`, {
        found: messageOf(cause),
        expected: 'a handler that does not throw',
        cause,
      }),
    );
  try {
    const result = handler(delivery.message as never, {
      topic,
      receivedNs: delivery.receivedNs,
      ...(delivery.trace === undefined ? {} : { trace: delivery.trace }),
    });
    if (result instanceof Promise) result.catch(failed);
  } catch (cause) {
    failed(cause);
  }
}
