import type { IqLearnError } from '../../common/index.js';
import type { Logger } from '../../platform/index.js';

/** Logs what a connection reports. A broker that lacks something without which the link keeps its promises is a warning. */
export function logLinkError(logger: Pick<Logger, 'error' | 'warn'>, error: IqLearnError): void {
  const { message, code } = error;
  if (code === 'UNSUPPORTED') logger.warn(message, { code });
  else logger.error(message, { code });
}
