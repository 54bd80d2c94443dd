import { z } from 'zod';
import type { PolicyVerifier, RecordClass, RecordingFigures, SpoolFigures, StreamSource } from '../../link/index.js';
import type { Transport } from '../../transport/index.js';

export const robotGatewaySchema = z.strictObject({
  onLost: z
    .enum(['continue', 'stop'])
    .default('continue')
    .describe(
      'When the learner is not heard of: `continue` goes on with the last policy; `stop` pauses the policy node, until a person resumes it.',
    ),
  lostAfterMs: z
    .number()
    .min(1000)
    .default(10_000)
    .describe('Silence of the learner after which it counts as lost, in milliseconds.'),
  megabytesPerSecond: z
    .number()
    .positive()
    .max(1000)
    .default(4)
    .describe('Most that the stream sends per second: what gathered in a partition leaves room for what is live.'),
  gatherMs: z
    .number()
    .min(0)
    .max(10_000)
    .default(200)
    .describe(
      'For how long records are gathered into one message, in milliseconds: every message costs the broker and the learner.',
    ),
});

export type RobotGatewayParameters = z.input<typeof robotGatewaySchema>;

/** What a gateway needs beside its node's context, whose transport is the robot's own. */
export interface RobotGatewayParts {
  /** The robot's identity in its fleet. */
  readonly robot: string;
  /** Topics of this robot over the link. */
  readonly link: Transport;
  readonly spool: StreamSource & {
    append(kind: RecordClass, topic: string, payload: Uint8Array): void;
    readonly figures: SpoolFigures;
  };
  readonly verifier: Pick<PolicyVerifier, 'open'>;
  /** Sends the robot's recordings as files, while nothing of the stream waits. */
  readonly recordings?: {
    pump(mayTakeSpace: boolean): void;
    resume(): void;
    readonly figures: RecordingFigures;
  };
  /** Whether the link is there now; always if not given. */
  readonly isLinked?: () => boolean;
  /** Calls the listener whenever the link was made again. */
  readonly onLinked?: (listener: () => void) => void;
}
