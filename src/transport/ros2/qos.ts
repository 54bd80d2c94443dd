import { IqLearnError } from '../../common/index.js';
import type { Qos, RequestedQos } from '../index.js';
import { checkQos } from '../index.js';
import type { Rcl, RclEndpoint } from './rclnodejs.js';
import type { ParameterValue } from './types.js';

// Constants of rmw.
const keepLast = 1;
const reliable = 1;
const bestEffort = 2;
const transientLocal = 1;
const volatile = 2;

/** A request that every publisher matches. */
export const leastQos: Qos = { reliability: 'best_effort', durability: 'volatile', depth: 10 };

export function toRclQos(rcl: Rcl, { reliability, durability, depth }: Qos): object {
  return new rcl.QoS(
    keepLast,
    depth,
    reliability === 'reliable' ? reliable : bestEffort,
    durability === 'transient_local' ? transientLocal : volatile,
  );
}

/** What an endpoint of the graph offers or requests. Discovery does not tell its depth. */
export function qosOf({ qos_profile: { reliability, durability } }: RclEndpoint): Qos {
  return {
    reliability: reliability === bestEffort ? 'best_effort' : 'reliable',
    durability: durability === transientLocal ? 'transient_local' : 'volatile',
    depth: 1,
  };
}

/** The most that a subscriber can request while it still matches all these publishers. */
export function mostOffered(offers: readonly Qos[]): Qos {
  if (offers.length === 0) return leastQos;
  const all = (test: (qos: Qos) => boolean): boolean => offers.every(test);
  return {
    reliability: all((qos) => qos.reliability === 'reliable') ? 'reliable' : 'best_effort',
    durability: all((qos) => qos.durability === 'transient_local') ? 'transient_local' : 'volatile',
    depth: leastQos.depth,
  };
}

export function sameQos(a: Qos, b: Qos): boolean {
  return a.reliability === b.reliability && a.durability === b.durability && a.depth === b.depth;
}

type Policies = ReadonlyMap<string, ParameterValue>;

const choices: Readonly<Record<string, readonly string[]>> = {
  reliability: ['reliable', 'best_effort'],
  durability: ['volatile', 'transient_local'],
  history: ['keep_last'],
};

/** The quality of service that parameters `<prefix><policy>` turn `qos` into. Throws INVALID_CONFIG. */
export function overriddenQos<Given extends RequestedQos>(prefix: string, policies: Policies, qos: Given): Given {
  const refuse = (policy: string, expected: string): never => {
    throw new IqLearnError('INVALID_CONFIG', 'a quality of service cannot be overridden so', {
      found: `${prefix}${policy}: ${JSON.stringify(policies.get(policy))}`,
      expected,
    });
  };
  const changed: { -readonly [Key in keyof RequestedQos]: RequestedQos[Key] } = { ...qos };
  for (const [policy, value] of policies) {
    if (policy === 'depth') {
      if (typeof value !== 'number' || !Number.isInteger(value)) refuse(policy, 'a whole number of messages');
      changed.depth = value as number;
      continue;
    }
    const known = choices[policy];
    if (known === undefined) refuse(policy, `one of ${[...Object.keys(choices), 'depth'].join(', ')}`);
    else if (!known.includes(value as string)) refuse(policy, known.join(' or '));
    if (policy === 'reliability') changed.reliability = value as Qos['reliability'];
    if (policy === 'durability') changed.durability = value as Qos['durability'];
  }
  checkQos(changed);
  return changed as Given;
}
