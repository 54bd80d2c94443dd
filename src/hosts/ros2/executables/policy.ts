import { hostname } from 'node:os';
import { z } from 'zod';
import { PolicyNode, policySchema } from '../../../nodes/index.js';
import { readBundle } from '../../../policy/index.js';
import { managed } from '../executable.js';

const { pace, ...shape } = policySchema.shape;

const schema = z.strictObject({
  policy: z
    .string()
    .default('')
    .describe('Folder of a policy to start with; empty: waits for one on the policy topic.'),
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
  async prepare({ context, parameters: { policy: folder, session, ...parameters } }) {
    const runtime = folder === '' ? undefined : await readBundle(folder);
    const name = session === '' ? `${hostname()} ${process.pid} ${new Date().toISOString()}` : session;
    return { node: new PolicyNode(context, { ...parameters, session: name }, runtime) };
  },
});
