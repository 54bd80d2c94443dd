import { readable } from '../common/index.js';
import { type Header, nanosecondsOf, type TFMessage } from '../messages/index.js';
import { frameNames, plainFrame } from './frames.js';
import { messageKind } from './kinds/registry.js';
import { type Refused, refuse } from './readers.js';
import { transformed } from './rigid-transform.js';
import { type FoundTransform, TransformBuffer } from './transform-buffer.js';
import type { RobotSpec, TopicSpec } from './types.js';

/** A topic that says how frames lie to each other. */
export interface TransformTopic {
  readonly topic: string;
  readonly type: 'tf2_msgs/msg/TFMessage';
  /** What it says always holds, and is said once (latched). */
  readonly isStatic: boolean;
}

const isPose = ({ type, frameId }: TopicSpec): boolean =>
  frameId !== undefined && messageKind(type)?.state?.inFrame !== undefined;

/**
 * The topics of transforms that a robot's state needs: none, unless the description names the frame of a pose. In a
 * namespace they may be there or without it.
 */
export function transformTopics({ stateTopics }: RobotSpec): TransformTopic[] {
  const posed = stateTopics.filter(isPose);
  if (posed.length === 0) return [];
  const prefixes = new Set([
    '',
    ...posed.flatMap(({ framePrefix }) => (framePrefix === undefined ? [] : [`/${framePrefix}`])),
  ]);
  return [...prefixes].flatMap((prefix): TransformTopic[] => [
    { topic: `${prefix}/tf`, type: 'tf2_msgs/msg/TFMessage', isStatic: false },
    { topic: `${prefix}/tf_static`, type: 'tf2_msgs/msg/TFMessage', isStatic: true },
  ]);
}

export type Changed =
  | { readonly ok: true; readonly message: unknown }
  | { readonly ok: false; readonly missing: 'late' | 'unconnected' | 'past'; readonly refused: Refused };

/** A message whose pose waits for a transform, as it was given to `accept`. */
export interface Waiting {
  readonly message: unknown;
  readonly receivedNs: bigint;
  readonly arrivalNs: bigint | null | undefined;
  readonly stamp: bigint | undefined;
  readonly missing: 'late' | 'unconnected' | 'past';
  readonly refused: Refused;
}

/** What stands before the expected frame in the given one: bot1 of bot1/odom; null where that is another frame. */
function namespaceOf(given: string, expected: string): string | null {
  const [plain, wanted] = [plainFrame(given), `/${plainFrame(expected)}`];
  return plain.length > wanted.length && plain.endsWith(wanted) ? plain.slice(0, -wanted.length) : null;
}

/** Brings poses that are given in another frame into the one that the description names, where /tf knows how. */
export class FrameChanger {
  readonly #buffer = new TransformBuffer();

  put(message: TFMessage, isStatic: boolean): void {
    this.#buffer.put(message, isStatic);
  }

  forget(): void {
    this.#buffer.forget();
  }

  /**
   * The message in the frame of its topic, at its stamp; a message without a stamp, at the newest time that is known.
   * `stampNs` replaces its stamp.
   */
  into({ type, frameId, framePrefix }: TopicSpec, message: unknown, stampNs: bigint | undefined): Changed {
    const { header } = message as { readonly header?: Header };
    const given = header?.frame_id ?? '';
    const inFrame = messageKind(type)?.state?.inFrame;
    const names = frameNames(frameId!, framePrefix);
    const expected = names.map((name) => `'${name}'`).join(' or ');
    const plain = refuse('wrongFrame', 'header.frame_id', `'${readable(given)}'`, expected);
    if (inFrame === undefined || header === undefined || given === '')
      return { ok: false, missing: 'past', refused: plain };
    const written = nanosecondsOf(header.stamp);
    const atNs = written === 0n ? null : (stampNs ?? written);
    const found = this.#find(names, given, atNs);
    if (found.ok)
      return {
        ok: true,
        message: inFrame(message as never, (pose) => transformed(pose, found.transform), {
          ...header,
          frame_id: frameId!,
        }),
      };
    const { missing, why } = found;
    const named = namespaceOf(given, frameId!);
    const namespace =
      named === null ? '' : `, or give the robot's namespace, ${readable(named)}, where its topics are there, too`;
    const remedy = `publish (and record) the transform, or give it in that frame${namespace}`;
    return {
      ok: false,
      missing,
      refused: { ...plain, text: `${plain.text}; ${why.replaceAll(given, readable(given))}: ${remedy}` },
    };
  }

  #find(targets: readonly string[], source: string, atNs: bigint | null): FoundTransform {
    const found = targets.map((target) => this.#buffer.find(target, source, atNs));
    return found.find(({ ok }) => ok) ?? found[0]!;
  }
}
