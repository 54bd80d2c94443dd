import { IqLearnError } from '../common/index.js';
import type { MessageTypeName } from '../messages/index.js';

/** The topics of a recording that is being written, each with its one type. */
export class RecordedTopics {
  readonly #types = new Map<string, MessageTypeName>();

  /** Throws INVALID_ARGUMENT for a topic that cannot be recorded, another type than before, or a time before 1970. */
  check(topic: string, type: MessageTypeName, logTimeNs: bigint, publishTimeNs: bigint): void {
    const known = this.#types.get(topic);
    if (known === type && logTimeNs >= 0n && publishTimeNs >= 0n) return;
    if (!/^(\/[A-Za-z_]\w*)+$/.test(topic))
      throw new IqLearnError('INVALID_ARGUMENT', 'not the name of a topic', {
        found: `'${topic}'`,
        expected: 'a full ROS name, e.g. /joint_states',
      });
    if (known !== undefined && known !== type)
      throw new IqLearnError('INVALID_ARGUMENT', `a message of another type on ${topic}`, {
        found: type,
        expected: known,
      });
    if (logTimeNs < 0n || publishTimeNs < 0n)
      throw new IqLearnError('INVALID_ARGUMENT', `a message before 1970 on ${topic}`, {
        found: `log time ${logTimeNs} ns, publish time ${publishTimeNs} ns`,
        expected: 'times of 0 or more',
      });
    this.#types.set(topic, type);
  }
}
