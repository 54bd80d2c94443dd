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

/** Throws INVALID_ARGUMENT unless the names can be those of robots, different from each other and from all `others`. */
export function checkRobots(robots: readonly string[], others: readonly string[] = []): void {
  for (const robot of robots) checkLevel('robot', robot);
  const taken = [LEARNER, 'broker', 'authority', ...others];
  const twice = robots.find((robot, i) => robots.indexOf(robot) !== i || taken.includes(robot));
  if (twice !== undefined || robots.length === 0)
    throw new IqLearnError('INVALID_ARGUMENT', 'the names of the robots are wrong', {
      found: twice === undefined ? 'none' : `'${twice}'`,
      expected: `names that are different from each other and from ${taken.map((name) => `'${name}'`).join(', ')}`,
    });
}

function check({ fleet, robots, broker }: LinkInitOptions): URL {
  checkLevel('fleet', fleet);
  checkRobots(robots);
  const url = URL.canParse(broker) ? new URL(broker) : undefined;
  if (url?.protocol !== 'mqtts:' && !(url?.protocol === 'mqtt:' && isLoopback(broker)))
    throw new IqLearnError('INVALID_ARGUMENT', 'not the URL of a broker with TLS', {
      found: `'${broker}'`,
      expected: 'mqtts://host:8883',
    });
  return url;
}

/** What an end's file says of its certificates. */
const certificatesOf = (name: string, tls: boolean): object =>
  tls
    ? { authority: `${name}/authority.crt`, certificate: `${name}/${name}.crt`, key: `${name}/${name}.key` }
    : { plaintext: true };

export interface RobotFilesOptions {
  readonly folder: string;
  readonly broker: string;
  readonly fleet: string;
  readonly robot: string;
  /** PEM text of the key whose policies the robot takes. */
  readonly policyKey: string;
}

/** Makes the files of one robot: its certificate where the broker has TLS, the key of policies, and its YAML file. */
export function makeRobotFiles({ folder, broker, fleet, robot, policyKey }: RobotFilesOptions): void {
  const own = join(folder, robot);
  const tls = broker.startsWith('mqtts:');
  mkdirSync(own, { recursive: true, mode: 0o700 });
  if (tls) makeCertificate(folder, robot, robot);
  writeFileSync(join(own, 'policy.pub'), policyKey);
  const file = {
    end: 'robot',
    broker,
    fleet,
    robot,
    ...certificatesOf(robot, tls),
    policy_keys: [`${robot}/policy.pub`],
    spool: { folder: `${robot}/spool` },
  };
  writeFileSync(join(folder, `${robot}.yaml`), stringify(file));
}

function makeCertificate(folder: string, name: string, identity: string): void {
  const authority = join(folder, 'authority');
  createCertificate({ authority, folder: join(folder, name), name, identity, server: name === 'broker' });
  copyFileSync(join(authority, 'authority.crt'), join(folder, name, 'authority.crt'));
}

export const robotStep = (folder: string, robot: string): string =>
  `${robot}:  ${join(folder, `${robot}.yaml`)} and ${join(folder, robot)}/ to the robot, and nothing else: ros2 launch iq_learn deploy.launch.py robot:=ROBOT link:=${robot}.yaml`;

const CERTIFICATES = `cafile broker/authority.crt
certfile broker/broker.crt
keyfile broker/broker.key
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file broker/mosquitto.acl`;

const mosquittoConf = (
  port: string,
  tls: boolean,
): string => `# Made by iq-learn link init. From the folder that holds broker/: mosquitto -c broker/mosquitto.conf
# Started as root it goes on as the user mosquitto, who must be able to read these files: chown -R mosquitto broker
${tls ? `listener ${port}\n${CERTIFICATES}` : `listener ${port} 127.0.0.1\nallow_anonymous true`}
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
  for (const name of ['authority', 'broker', LEARNER]) mkdirSync(at(name), { recursive: true, mode: 0o700 });
  const tls = url.protocol === 'mqtts:';
  if (tls) {
    createAuthority(at('authority'), fleet);
    makeCertificate(folder, 'broker', url.hostname.replace(/^\[|\]$/g, ''));
    makeCertificate(folder, LEARNER, LEARNER);
  }
  const keys = createSigningKeys();
  secret(at(LEARNER, 'policy.key'), keys.privateKey);
  for (const robot of robots) makeRobotFiles({ folder, broker, fleet, robot, policyKey: keys.publicKey });
  const port = url.port === '' ? (tls ? '8883' : '1883') : url.port;
  writeFileSync(at('broker', 'mosquitto.conf'), mosquittoConf(port, tls));
  writeFileSync(at('broker', 'mosquitto.acl'), mosquittoAccess(options));
  writeFileSync(at('broker', 'emqx-acl.conf'), emqxAccess(options));
  // The last file: where it is, the link is whole.
  const learner = {
    end: 'learner',
    broker,
    fleet,
    robots: [...robots],
    ...certificatesOf(LEARNER, tls),
    policy_key: `${LEARNER}/policy.key`,
  };
  writeFileSync(at('learner.yaml'), stringify(learner));
  return {
    folder,
    steps: [
      `broker:   ${at('broker')}/ to ${url.hostname}: mosquitto -c broker/mosquitto.conf; or, beside ${at('learner.yaml')}: iq-learn link broker --link ${at('learner.yaml')}`,
      `learner:  ${at('learner.yaml')} and ${at(LEARNER)}/ to the GPU host: iq-learn serve --robot ROBOT --recording FOLDER --link ${at('learner.yaml')}`,
      ...robots.map((robot) => robotStep(folder, robot)),
      ...(tls ? [`keep:     ${at('authority')}/ where you are: who has it can be any robot`] : []),
    ],
  };
}
