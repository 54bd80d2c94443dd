import { z } from 'zod';
import { ExpertNode, expertSchema } from '../../../nodes/index.js';
import { expertDriver } from '../../../sessions/index.js';
import { managed } from '../executable.js';

const schema = z.strictObject({
  ...expertSchema.shape,
  policy: z
    .string()
    .default('')
    .describe("Folder of a policy that demonstrates; empty: the robot's script, or the expert that is shipped for it."),
});

export const expert = managed({
  name: 'expert',
  summary: 'a scripted expert (or a policy) in place of a person at the teleoperation topic',
  autostart: true,
  schema: () => schema,
  async prepare({ context, parameters: { policy, ...parameters } }) {
    const driver = await expertDriver(context.spec, policy === '' ? undefined : policy);
    return { node: new ExpertNode(context, driver, parameters), release: () => driver.dispose() };
  },
});
