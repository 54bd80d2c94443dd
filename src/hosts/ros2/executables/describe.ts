import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { IqLearnError, steadyClock } from '../../../common/index.js';
import { TopicSurvey } from '../../../demonstrations/index.js';
import { isMessageTypeName } from '../../../messages/index.js';
import { writeFileAtomic } from '../../../platform/index.js';
import { draftDescription, parseRobotSpec } from '../../../robot/index.js';
import { program } from '../executable.js';

const schema = z.strictObject({
  seconds: z.number().min(1).max(600).default(10).describe('How long the topics are listened to.'),
  command: z.string().default('').describe('The topic that commands the robot; empty: the one with most commands.'),
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
    if (out !== '' && existsSync(out))
      throw new IqLearnError('CONFLICT', `${out} is there already`, { remedy: 'give another name' });
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
        const see = (message: unknown): void => survey.see(own, type, message, steadyClock.nowNs());
        subscriptions.push(ros.transport.subscribe(own, type, see));
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
    for (const subscription of subscriptions) subscription.close();
    const given = name !== '' ? name : out !== '' ? basename(out, extname(out)) : 'robot';
    const chosen = command === '' ? {} : { command };
    const text = draftDescription({ name: given, topics: survey.topics, joints: [], ...chosen });
    parseRobotSpec(text, out === '' ? 'the draft' : out);
    if (out === '') process.stdout.write(text);
    else {
      writeFileAtomic(out, text);
      process.stdout.write(`${out}\nCheck every line, then: iq-learn inspect ${out}\n`);
    }
    return 0;
  },
});
