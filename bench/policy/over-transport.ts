import { IqLearnError, steadyClock } from '../../src/common/index.js';
import { header, stampOf } from '../../src/messages/index.js';
import { PolicyNode, topics } from '../../src/nodes/index.js';
import { createNodeLogger } from '../../src/platform/index.js';
import type { PolicyRuntime } from '../../src/policy/index.js';
import { createActionMapper, type RobotSpec, readingsToMessages } from '../../src/robot/index.js';
import { createTask, type StepResult } from '../../src/simulation/index.js';
import { EmbeddedBroker, qos, type Transport } from '../../src/transport/index.js';

const ANSWER_MS = 5000;

/** Microseconds from a state message to the command of the real policy node in lockstep, on one embedded broker. */
export async function measureNode(spec: RobotSpec, policy: PolicyRuntime, steps: number): Promise<number[]> {
  const broker = new EmbeddedBroker();
  const logger = createNodeLogger('policy', { level: 'warn' });
  const context = { transport: broker.connect(), spec, clock: steadyClock, logger };
  const node = new PolicyNode(context, { pace: 'lockstep' }, policy);
  node.configure();
  node.activate();
  try {
    return await measure(broker, spec, steps);
  } finally {
    await node.shutdown();
    await broker.close();
  }
}

/** The same messages with nothing but a subscriber between them: what the transport itself takes. */
export async function measureTransport(spec: RobotSpec, steps: number): Promise<number[]> {
  const broker = new EmbeddedBroker();
  const transport = broker.connect();
  const { topic, type } = spec.commands[0];
  const commands = transport.advertise(topic, type, qos.command);
  const mapper = createActionMapper(spec);
  const still = new Float32Array(spec.action.length);
  transport.subscribe(
    topics.taskState,
    'iq_learn/msg/TaskState',
    ({ header: { stamp } }) =>
      commands.publish(mapper.toMessage(still, BigInt(stamp.sec) * 1_000_000_000n + BigInt(stamp.nanosec)) as never),
    qos.event,
  );
  try {
    return await measure(broker, spec, steps);
  } finally {
    await broker.close();
  }
}

/** Drives the spec's task by what is commanded; only the way from the state's publication to the command is timed. */
async function measure(broker: EmbeddedBroker, spec: RobotSpec, steps: number): Promise<number[]> {
  const transport: Transport = broker.connect();
  const mapper = createActionMapper(spec);
  let heard: ((action: Float32Array) => void) | undefined;
  let at = 0n;
  transport.subscribe(
    spec.commands[0].topic,
    spec.commands[0].type,
    (message) => {
      at = process.hrtime.bigint();
      heard?.(mapper.fromMessage(message));
    },
    qos.command,
  );
  const clock = transport.advertise(topics.clock, 'rosgraph_msgs/msg/Clock', qos.sensor);
  const taskStates = transport.advertise(topics.taskState, 'iq_learn/msg/TaskState', qos.event);
  const states = new Map(
    spec.stateTopics.map(({ topic, type }) => [topic, transport.advertise(topic, type, qos.sensor)]),
  );
  const task = await createTask(spec.task!);
  const periodNs = BigInt(Math.round(task.stepSeconds * 1e9));
  const micros: number[] = [];
  const warm = Math.ceil(steps / 5);
  let [episode, step, stampNs] = [0, 0, 0n];
  let result: Pick<StepResult, 'reward' | 'terminated' | 'truncated' | 'success'> | undefined;
  try {
    for (let i = 0; i < warm + steps; i++) {
      if (result === undefined || result.terminated || result.truncated) {
        task.reset(++episode);
        step = 0;
        result = { reward: 0, terminated: false, truncated: false, success: false };
      }
      stampNs += periodNs;
      const messages = readingsToMessages(task.sense(), spec, stampNs);
      const { reward, success } = result;
      const state = { header: header(stampNs), episode, step, reward, terminated: false, truncated: false, success };
      clock.publish({ clock: stampOf(stampNs) });
      await broker.idle();
      const answered = answer((take) => {
        heard = take;
      });
      const start = process.hrtime.bigint();
      for (const { topic, message } of messages) states.get(topic)!.publish(message as never);
      taskStates.publish(state);
      const action = await answered;
      if (i >= warm) micros.push(Number(at - start) / 1e3);
      result = task.step(action);
      step++;
      // Timers and I/O get their turn between steps, as they do between those of a robot.
      await new Promise(setImmediate);
    }
    return micros;
  } finally {
    task.close();
  }
}

/** The next command. Throws TIMEOUT where none comes. */
function answer(listen: (take: (action: Float32Array) => void) => void): Promise<Float32Array> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new IqLearnError('TIMEOUT', 'no command came', { found: `nothing for ${ANSWER_MS} ms` })),
      ANSWER_MS,
    );
    listen((action) => {
      clearTimeout(timer);
      resolve(action);
    });
  });
}
