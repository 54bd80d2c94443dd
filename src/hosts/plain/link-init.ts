import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { IqLearnError } from '../../common/index.js';
import { createSigningKeys, emqxAccess, type Fleet, mosquittoAccess } from '../../link/index.js';
import { checkLevel, isLoopback, LEARNER } from '../../transport/index.js';
import { createAuthority, createCertificate } from './certificates.js';

export interface LinkInitOptions extends Fleet {
  readonly folder: string;
  /** mqtts://host:port */
  readonly broker: string;
}

/** What was made, and where it belongs. */
export interface LinkInitResult {
  readonly folder: string;
  /** Lines for people: what to copy where. */
  readonly steps: readonly string[];
}

/** Writes a file that only its owner may read. */
function secret(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  chmodSync(path, 0o600);
}

function check({ fleet, robots, broker }: LinkInitOptions): URL {
  checkLevel('fleet', fleet);
  for (const robot of robots) checkLevel('robot', robot);
  const twice = robots.find((robot, i) => robots.indexOf(robot) !== i || robot === LEARNER || robot === 'broker');
  if (twice !== undefined || robots.length === 0)
    throw new IqLearnError('INVALID_ARGUMENT', 'the names of the robots are wrong', {
      found: twice === undefined ? 'none' : `'${twice}'`,
      expected: `names that are different from each other, from '${LEARNER}' and from 'broker'`,
    });
  const url = URL.canParse(broker) ? new URL(broker) : undefined;
  if (url?.protocol !== 'mqtts:' && !(url?.protocol === 'mqtt:' && isLoopback(broker)))
    throw new IqLearnError('INVALID_ARGUMENT', 'not the URL of a broker with TLS', {
      found: `'${broker}'`,
      expected: 'mqtts://host:8883',
    });
  return url;
}

const mosquittoConf = (
  port: string,
): string => `# Made by iq-learn link init. Start: mosquitto -c mosquitto.conf, in this folder's place.
listener ${port}
cafile broker/authority.crt
certfile broker/broker.crt
keyfile broker/broker.key
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file broker/mosquitto.acl
set_tcp_nodelay true
max_inflight_messages 1000
`;

/**
 * Makes the files of a link in a folder: an authority, keys and certificates of broker, learner and robots, keys that sign
 * policies, access rules, and a file for each end. Throws CONFLICT where there are such files already: they are never
 * overwritten.
 */
export function initLink(options: LinkInitOptions): LinkInitResult {
  const { folder, broker, fleet, robots } = options;
  const url = check(options);
  if (existsSync(join(folder, 'learner.yaml')))
    throw new IqLearnError('CONFLICT', `there is a link in ${folder} already`, {
      expected: 'a folder without one',
      remedy: 'choose another folder with --out: files of a link are never overwritten',
    });
  const at = (...names: string[]): string => join(folder, ...names);
  for (const name of ['authority', 'broker', LEARNER, ...robots]) mkdirSync(at(name), { recursive: true, mode: 0o700 });
  const tls = url.protocol === 'mqtts:';
  const end = (name: string): object =>
    tls
      ? { authority: `${name}/authority.crt`, certificate: `${name}/${name}.crt`, key: `${name}/${name}.key` }
      : { plaintext: true };
  if (tls) {
    createAuthority(at('authority'), fleet);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    for (const name of ['broker', LEARNER, ...robots]) {
      const server = name === 'broker';
      createCertificate({ authority: at('authority'), folder: at(name), name, identity: server ? host : name, server });
      copyFileSync(at('authority', 'authority.crt'), at(name, 'authority.crt'));
    }
  }
  const keys = createSigningKeys();
  secret(at(LEARNER, 'policy.key'), keys.privateKey);
  for (const robot of robots) {
    writeFileSync(at(robot, 'policy.pub'), keys.publicKey);
    const file = {
      end: 'robot',
      broker,
      fleet,
      robot,
      ...end(robot),
      policy_keys: [`${robot}/policy.pub`],
      spool: { folder: `${robot}/spool` },
    };
    writeFileSync(at(`${robot}.yaml`), stringify(file));
  }
  const port = url.port === '' ? (tls ? '8883' : '1883') : url.port;
  writeFileSync(at('broker', 'mosquitto.conf'), mosquittoConf(port));
  writeFileSync(at('broker', 'mosquitto.acl'), mosquittoAccess(options));
  writeFileSync(at('broker', 'emqx-acl.conf'), emqxAccess(options));
  // The last file: where it is, the link is whole.
  const learner = {
    end: 'learner',
    broker,
    fleet,
    robots: [...robots],
    ...end(LEARNER),
    policy_key: `${LEARNER}/policy.key`,
  };
  writeFileSync(at('learner.yaml'), stringify(learner));
  return {
    folder,
    steps: [
      `broker:   ${at('broker')}/ to ${url.hostname}; start it with: iq-learn link broker --link ${at('learner.yaml')}`,
      `learner:  ${at('learner.yaml')} and ${at(LEARNER)}/ to the GPU host: iq-learn serve --link ${at('learner.yaml')}`,
      ...robots.map((robot) => `${robot}:  ${at(`${robot}.yaml`)} and ${at(robot)}/ to the robot, and nothing else`),
      `keep:     ${at('authority')}/ where you are: who has it can be any robot`,
    ],
  };
}
