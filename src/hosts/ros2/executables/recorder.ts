import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RecordingWriter } from '../../../demonstrations/index.js';
import { RecorderNode, recorderSchema } from '../../../nodes/index.js';
import { timestamp } from '../../../platform/index.js';
import { managed } from '../executable.js';
import { freeFolder } from '../session-folders.js';

const { checkTopics } = recorderSchema.shape;

const schema = z.strictObject({
  checkTopics: checkTopics.default(true).meta({ ...checkTopics.meta() }),
  recordings: z.string().min(1).default('recordings').describe('Folder that holds recordings.'),
  session: z
    .string()
    .regex(/^[\w.-]*$/, 'letters, digits, _ . and -')
    .default('')
    .describe('Name of this recording; empty: robot, date and time. One that exists is never overwritten.'),
});

/** The name of a recording: robot-20260102-030405. */
function defaultSession(robot: string, now = new Date()): string {
  return `${robot}-${timestamp(now)}`;
}

export const recorder = managed({
  name: 'recorder',
  summary: 'records demonstrations that ros2 bag reads',
  autostart: true,
  schema: () => schema,
  async prepare({ context, simulatedTime, parameters: { recordings, session, checkTopics } }) {
    const { spec, logger } = context;
    const name = session === '' ? defaultSession(spec.robot) : session;
    const writer = await RecordingWriter.create(freeFolder(join(recordings, name)), { spec, session: name });
    logger.info(`recording to ${writer.folder}`);
    const node = new RecorderNode(context, writer, { useSimTime: simulatedTime, checkTopics });
    return {
      node,
      release() {
        const { summary } = node;
        if (summary === undefined) return;
        if (summary.messages === 0) rmSync(summary.folder, { recursive: true, force: true });
        else logger.info('recording closed', { folder: summary.folder, episodes: summary.episodes });
      },
    };
  },
});
