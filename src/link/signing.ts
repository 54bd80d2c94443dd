import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { IqLearnError, messageOf } from '../common/index.js';
import { type MessageTypes, type PolicyBundleMessage, protobuf } from '../messages/index.js';

export type SignedPolicy = MessageTypes['iq_learn_link/msg/SignedPolicy'];

const TYPE = 'iq_learn/msg/PolicyBundle';

/** A new pair of Ed25519 keys as PEM texts. */
export function createSigningKeys(): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

function nameOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}

function load(pem: string, what: 'private' | 'public'): KeyObject {
  try {
    const key = what === 'private' ? createPrivateKey(pem) : createPublicKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`a key of type ${key.asymmetricKeyType}`);
    return key;
  } catch (cause) {
    throw new IqLearnError('INVALID_CONFIG', `the ${what} key of policies cannot be read`, {
      found: messageOf(cause),
      expected: 'an Ed25519 key in PEM, as iq-learn link init makes it',
    });
  }
}

/** What is signed: a policy of one fleet is no policy of another. */
function signedBytes(fleet: string, bundle: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(`iq_learn policy 1\0${fleet}\0`);
  const bytes = new Uint8Array(name.length + bundle.length);
  bytes.set(name);
  bytes.set(bundle, name.length);
  return bytes;
}

/** Signs policies for a fleet. Throws INVALID_CONFIG for a key that is none. */
export class PolicySigner {
  readonly #fleet: string;
  readonly #key: KeyObject;
  readonly #name: string;
  /** Of each policy that was signed: all robots of a fleet get the same bytes. */
  readonly #signed = new WeakMap<PolicyBundleMessage, SignedPolicy>();

  constructor(fleet: string, privateKey: string) {
    this.#fleet = fleet;
    this.#key = load(privateKey, 'private');
    this.#name = nameOf(createPublicKey(this.#key));
  }

  sign(policy: PolicyBundleMessage): SignedPolicy {
    let signed = this.#signed.get(policy);
    if (signed === undefined) {
      const bundle = protobuf.encode(TYPE, policy);
      signed = { key: this.#name, signature: sign(null, signedBytes(this.#fleet, bundle), this.#key), bundle };
      this.#signed.set(policy, signed);
    }
    return signed;
  }
}

/** Takes policies that one of the known keys has signed for the fleet. */
export class PolicyVerifier {
  readonly #fleet: string;
  readonly #keys: ReadonlyMap<string, KeyObject>;

  constructor(fleet: string, publicKeys: readonly string[]) {
    this.#fleet = fleet;
    this.#keys = new Map(publicKeys.map((pem) => load(pem, 'public')).map((key) => [nameOf(key), key]));
  }

  /** The policy, which is decoded only after its signature was found right. Throws MISMATCH. */
  open({ key, signature, bundle }: SignedPolicy): PolicyBundleMessage {
    const known = this.#keys.get(key);
    if (known === undefined || !verify(null, signedBytes(this.#fleet, bundle), known, signature))
      throw new IqLearnError('MISMATCH', 'a policy is refused', {
        found: known === undefined ? `a signature of the unknown key '${key}'` : 'a signature that is wrong',
        expected: `a policy for the fleet ${this.#fleet}, signed with one of ${[...this.#keys.keys()].join(', ')}`,
        remedy:
          'the policy that acts goes on; see who publishes policies, and whether the robot has the key of its learner',
      });
    return protobuf.decode(TYPE, bundle);
  }
}
