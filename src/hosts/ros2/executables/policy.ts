import { hostname } from 'node:os';
import { z } from 'zod';
import { PolicyNode, policySchema } from '../../../nodes/index.js';
import { readBundle } from '../../../policy/index.js';
import { managed } from '../executable.js';
import { readReplay } from '../replay.js';

const { pace, ...shape } = policySchema.shape;

const schema = z.strictObject({
  policy: z
    .string()
    .default('')
    .describe('Folder of a policy to start with; empty: waits for one on the policy topic.'),
  replay: z
    .string()
    .default('')
    .describe('An episode to drive again in place of a policy: a recording, or recording#episode; empty: none.'),
  replaySpeed: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('Of the replay: 0.5 drives the same way in twice the time.'),
  ...shape,
  pace: pace.default('realtime'),
  session: z
    .string()
    .default('')
    .describe('Names the sender of transitions; every start of a robot needs another one. Empty: a fresh one.'),
});

export const policy = managed({
  name: 'policy',
  summary: 'drives the robot: policy, safety filter, takeover, e-stop',
  // Activating this node moves a robot, so it waits for a request.
  autostart: false,
  urgent: true,
  schema: () => schema,
  async prepare({ context, parameters: { policy: folder, session, replay, replaySpeed, ...parameters } }) {
    const name = session === '' ? `${hostname()} ${process.pid} ${new Date().toISOString()}` : session;
    const given = { ...parameters, session: name };
    if (replay !== '') {
      const recorded = await readReplay(replay, context, { speed: replaySpeed, ...given });
      return { node: new PolicyNode(context, given, undefined, recorded) };
    }
    const runtime = folder === '' ? undefined : await readBundle(folder);
    return { node: new PolicyNode(context, given, runtime) };
  },
});
