import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { IqLearnError } from '../../common/index.js';
import { protobuf, type Transition } from '../../messages/index.js';
import { qos, type Transport } from '../../transport/index.js';

const TYPE = 'iq_learn/msg/Transition';
/** More transitions than ever wait for their turn within one process. */
const DEPTH = 100_000;
const LOOK_MS = 20;

/** The transitions on one end's topics: how many there were, and the SHA-256 of all of them in their order. */
export class Ledger {
  readonly #hash = createHash('sha256');
  #count = 0;

  /** Listens to an end's own topics; `transport` is closed by whoever gave it. */
  constructor(transport: Transport) {
    transport.subscribe('/transitions', TYPE, (transition) => this.add(transition), { ...qos.event, depth: DEPTH });
  }

  get count(): number {
    return this.#count;
  }

  /** 64 hexadecimal digits. */
  get sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  add(transition: Transition): void {
    this.#count += 1;
    this.#hash.update(protobuf.encode(TYPE, transition));
  }
}

/**
 * Compares what the robot has said with what the learner was told, once as much has come as was sent or `timeoutMs` have
 * passed, and says it in a sentence. Rejects with MISMATCH where a transition is missing, came twice, was changed, or came
 * out of its order.
 */
export async function compareLedgers(
  robot: Pick<Ledger, 'count' | 'sha256'>,
  learner: Pick<Ledger, 'count' | 'sha256'>,
  timeoutMs: number,
): Promise<string> {
  const end = performance.now() + timeoutMs;
  while (learner.count < robot.count && performance.now() < end) await sleep(LOOK_MS);
  if (learner.count !== robot.count || learner.sha256 !== robot.sha256)
    throw new IqLearnError('MISMATCH', 'robot and learner do not have the same transitions', {
      found: `${learner.count} at the learner, SHA-256 ${learner.sha256}`,
      expected: `${robot.count} of the robot, SHA-256 ${robot.sha256}`,
      remedy: 'please report this with the log of the run',
    });
  return `robot and learner have the same ${robot.count} transitions: SHA-256 ${robot.sha256}`;
}
