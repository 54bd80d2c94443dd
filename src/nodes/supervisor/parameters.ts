import { z } from 'zod';

const button = (means: string, number: number) =>
  z.int().min(-1).max(63).default(number).describe(`Joystick button that ${means}; -1: none.`);

/** Parameters of the supervisor. Button numbers are those of an Xbox pad under joy_node. */
export const supervisorSchema = z.strictObject({
  episodes: z.int().min(0).max(100_000).default(0).describe('Episodes to keep; 0: no limit.'),
  episodeS: z.number().min(0).max(86_400).default(0).describe('Longest episode in seconds; 0: no limit.'),
  resetS: z
    .number()
    .min(0)
    .max(86_400)
    .default(0)
    .describe('Seconds after an episode in which the next one begins by itself; 0: it waits for a person.'),
  timeUp: z
    .enum(['unknown', 'success', 'failure'])
    .default('unknown')
    .describe('What an episode counts as that reaches episode_s.'),
  terminalSuccess: z
    .boolean()
    .default(true)
    .describe('Success is a true terminal state (the task is over), not a cut in a task that would go on.'),
  terminalFailure: z
    .boolean()
    .default(false)
    .describe('Failure is a true terminal state (a fall, a crash), not a cut by the person.'),
  recorder: z
    .boolean()
    .default(true)
    .describe('The recorder records the episodes; one that it refuses does not begin.'),
  successTopic: z
    .string()
    .default('')
    .describe('A topic of std_msgs/Bool: true ends the episode with success; empty: none.'),
  failureTopic: z
    .string()
    .default('')
    .describe('A topic of std_msgs/Bool: true ends the episode with failure; empty: none.'),
  joyTopic: z.string().min(1).default('/joy').describe('The joystick, sensor_msgs/Joy.'),
  buttons: z
    .strictObject({
      start: button('starts an episode', 7),
      stop: button('ends an episode without a verdict', 6),
      success: button('ends an episode with success', 0),
      failure: button('ends an episode with failure', 1),
      discard: button('throws away the episode, or the last one, to be done again', 2),
    })
    .prefault({}),
});
