import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { steadyClock } from '../../../common/index.js';
import { checkNewDescription, robotNameOf, TopicSurvey, writeDescription } from '../../../demonstrations/index.js';
import { isMessageTypeName } from '../../../messages/index.js';
import type { DraftInputs } from '../../../robot/index.js';
import { program } from '../executable.js';

const schema = z.strictObject({
  seconds: z.number().min(1).max(600).default(10).describe('How long the topics are listened to.'),
  command: z
    .string()
    .default('')
    .describe(
      'Topics that command the robot, separated by commas; empty: all that do, and of the same commands the one with most.',
    ),
  name: z.string().default('').describe('Name of the robot; empty: of the file.'),
  out: z.string().default('').describe('A new file for the description; empty: it is printed.'),
});

/** The graph is looked at this often: discovery tells of a topic when it likes. */
const LOOK_MS = 500;

export const describe = program({
  name: 'describe',
  summary: 'writes a first description of the robot whose topics are in the graph; drive it a little meanwhile',
  schema: () => schema,
  async run({ ros, parameters: { seconds, command, name, out }, logger, signal }) {
    const file = out === '' ? undefined : out;
    checkNewDescription(file);
    const survey = new TopicSurvey();
    const heard = new Set<string>();
    const subscriptions: { close(): void }[] = [];
    const namespace = ros.namespace.replace(/\/$/, '');
    const end = performance.now() + 1000 * seconds;
    logger.info(`listening for ${seconds} s: drive the robot a little, so that its commands are seen`);
    while (performance.now() < end && !signal.aborted) {
      for (const { topic, type } of ros.graph()) {
        if (heard.has(topic) || !isMessageTypeName(type) || !topic.startsWith(`${namespace}/`)) continue;
        heard.add(topic);
        const own = topic.slice(namespace.length);
        survey.offered(own, type);
        const see = (message: unknown): void => survey.see(own, type, message, steadyClock.nowNs());
        subscriptions.push(ros.transport.subscribe(own, type, see));
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
    for (const subscription of subscriptions) subscription.close();
    const commands = command.split(',').filter((topic) => topic !== '');
    const inputs: DraftInputs = {
      name: name !== '' ? name : file === undefined ? 'robot' : robotNameOf(file),
      topics: survey.topics,
      joints: [],
      ...(commands.length === 0 ? {} : { commands }),
    };
    writeDescription(inputs, {
      file,
      print: (text) => void process.stdout.write(text),
      note: (text) => void logger.warn(text),
    });
    return 0;
  },
});
