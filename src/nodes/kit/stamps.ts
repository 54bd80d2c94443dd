import { type Header, nanosecondsOf } from '../../messages/index.js';

/** The stamp of a message's header in nanoseconds, or undefined for types without a header. */
export function headerStampNs(message: object): bigint | undefined {
  const { header } = message as { readonly header?: Header };
  return header === undefined ? undefined : nanosecondsOf(header.stamp);
}
