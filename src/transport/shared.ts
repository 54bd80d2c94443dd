import { IqLearnError, messageOf } from '../common/index.js';
import type { MessageInfo } from './transport.js';

/** A message under way: with the time it arrived at the broker. */
export interface Delivery {
  readonly message: unknown;
  readonly receivedNs: bigint;
}

export type Handler = (message: never, info: MessageInfo) => unknown;
export type ReportError = (error: IqLearnError) => void;

/** Calls a handler so that nothing it throws, now or later, gets out. */
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
    const result = handler(delivery.message as never, { topic, receivedNs: delivery.receivedNs });
    if (result instanceof Promise) result.catch(failed);
  } catch (cause) {
    failed(cause);
  }
}

/** What a call is settled with when the handler threw: its own IqLearnError, or INTERNAL around anything else. */
export function serviceError(service: string, cause: unknown): IqLearnError {
  if (cause instanceof IqLearnError) return cause;
  return new IqLearnError('INTERNAL', `the service ${service} failed`, { found: messageOf(cause), cause });
}

/** The error of using a transport after its end. */
export function closedError(): IqLearnError {
  return new IqLearnError('UNAVAILABLE', 'the transport is closed', { remedy: 'connect again' });
}

/** Refuses a time that is none. */
export function checkTimeout(timeoutMs: number): void {
  if (!(timeoutMs > 0 && timeoutMs <= 0x7fffffff))
    throw new IqLearnError('INVALID_ARGUMENT', 'a call needs a timeout', {
      found: `timeoutMs ${timeoutMs}`,
      expected: 'milliseconds above 0',
    });
}
