import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { IqLearnError } from '../../common/index.js';

/** Days that certificates of both ends and of the broker are valid; the authority's own, ten years. */
export const CERTIFICATE_DAYS = 365;
const AUTHORITY_DAYS = 3650;

function openssl(...args: string[]): void {
  try {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    const { code, stderr } = cause as NodeJS.ErrnoException & { stderr?: Buffer };
    const missing = code === 'ENOENT';
    throw new IqLearnError('UNAVAILABLE', 'no certificate can be made', {
      found: missing ? 'no program openssl' : String(stderr).trim().split('\n').at(-1)!,
      expected: 'openssl 1.1.1 or later',
      ...(missing && { remedy: 'install it, on Debian with: apt-get install openssl' }),
      cause,
    });
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority of our own, which signs the certificates of one fleet and nothing else. */
export function createAuthority(folder: string, name: string): void {
  const key = join(folder, 'authority.key');
  openssl(
    ...['req', '-x509', ...NEW_KEY, '-keyout', key, '-out', join(folder, 'authority.crt')],
    ...['-days', String(AUTHORITY_DAYS), '-subj', `/CN=iq_learn ${name}`],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  );
  chmodSync(key, 0o600);
}

/**
 * A key and a certificate in `folder`, named `name`.key and `name`.crt. A client's certificate has the identity as its
 * name; a server's holds for its host.
 */
export function createCertificate(options: {
  readonly authority: string;
  readonly folder: string;
  readonly name: string;
  readonly identity: string;
  readonly server: boolean;
}): void {
  const { authority, folder, name, identity, server } = options;
  const file = (ending: string): string => join(folder, `${name}.${ending}`);
  const usage = server
    ? `extendedKeyUsage=serverAuth\nsubjectAltName=${[identity, 'localhost', '127.0.0.1']
        .map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`)
        .join(',')}\n`
    : 'extendedKeyUsage=clientAuth\n';
  try {
    openssl('req', '-new', ...NEW_KEY, '-keyout', file('key'), '-out', file('csr'), '-subj', `/CN=${identity}`);
    chmodSync(file('key'), 0o600);
    writeFileSync(file('ext'), `basicConstraints=critical,CA:FALSE\n${usage}`);
    openssl(
      ...['x509', '-req', '-in', file('csr'), '-out', file('crt'), '-days', String(CERTIFICATE_DAYS)],
      ...['-CA', join(authority, 'authority.crt'), '-CAkey', join(authority, 'authority.key')],
      ...['-set_serial', `0x${randomBytes(8).toString('hex')}`, '-extfile', file('ext')],
    );
  } finally {
    rmSync(file('csr'), { force: true });
    rmSync(file('ext'), { force: true });
  }
}
