import { z } from 'zod';
import { IqLearnError } from '../../../common/index.js';
import { RobotGateway } from '../../../nodes/index.js';
import { openRobotEnd, openRobotLink } from '../../plain/index.js';
import { managed } from '../executable.js';

const schema = z.strictObject({
  link: z
    .string()
    .default('')
    .describe(
      "The robot's file of the link, from iq-learn link init: broker, certificates, spool, what to do when it is lost.",
    )
    .meta({ readOnly: true }),
});

export const gateway = managed({
  name: 'gateway',
  summary: 'joins the robot with a learner elsewhere over MQTT: transitions go, signed policies come',
  autostart: true,
  schema: () => schema,
  async prepare({ context, parameters }) {
    if (parameters.link === '')
      throw new IqLearnError('INVALID_ARGUMENT', 'the gateway has no link', {
        expected: "the parameter link, the robot's file of a link",
        remedy: 'make one with iq-learn link init, and give it: -p link:=link/rover-1.yaml',
      });
    const link = await openRobotEnd(openRobotLink(parameters.link), context.logger);
    const node = new RobotGateway(context, link.parts, link.parameters);
    return { node, release: () => link.close() };
  },
});
