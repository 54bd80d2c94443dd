import { expect, test } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import { logLinkError } from '#src/hosts/plain/link-errors.js';

test('a broker without MQTT 5 is a warning, everything else an error', () => {
  const lines: string[] = [];
  const logger = {
    warn: (message: string) => lines.push(`warn ${message.slice(0, 9)}`),
    error: (message: string) => lines.push(`error ${message.slice(0, 9)}`),
  } as unknown as Parameters<typeof logLinkError>[0];
  logLinkError(logger, new IqLearnError('UNSUPPORTED', 'no MQTT 5', { found: '3.1.1' }));
  logLinkError(logger, new IqLearnError('UNAVAILABLE', 'no broker', { found: 'nothing' }));
  expect(lines).toEqual(['warn no MQTT 5', 'error no broker']);
});
