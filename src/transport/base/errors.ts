import { IqLearnError, messageOf } from '../../common/index.js';

/** UNAVAILABLE: the transport is used after `close`. */
export function closedError(): IqLearnError {
  return new IqLearnError('UNAVAILABLE', 'the transport is closed', { remedy: 'connect again' });
}

/** What a caller gets when the service's handler threw `cause`: an IqLearnError as it is, anything else as INTERNAL. */
export function serviceError(service: string, cause: unknown): IqLearnError {
  if (cause instanceof IqLearnError) return cause;
  return new IqLearnError('INTERNAL', `the service ${service} failed`, { found: messageOf(cause), cause });
}

/** CONFLICT: the service is served already. `found` names the other server where it is known. */
export function secondServer(service: string, found?: string): IqLearnError {
  return new IqLearnError('CONFLICT', `the service ${service} has a server already`, {
    ...(found === undefined ? {} : { found }),
    expected: 'one server a service',
    remedy: 'close the other one first, or give this node another name or namespace',
  });
}

/** UNAVAILABLE: the server closed, or its process ended, before it answered. */
export function serverGone(service: string): IqLearnError {
  return new IqLearnError('UNAVAILABLE', `the server of ${service} went away`, { remedy: 'call again' });
}

/** MISMATCH: the caller names another type than the server. */
export function otherServiceType(service: string, found: string, expected: string): IqLearnError {
  return new IqLearnError('MISMATCH', `the service ${service} has another type`, { found, expected });
}
