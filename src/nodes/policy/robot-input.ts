import { type JointState, type MessageTypeName, type MessageTypes, nanosecondsOf } from '../../messages/index.js';
import type { SimulationClock } from '../../robot/index.js';
import { type Closable, qos, type Transport } from '../../transport/index.js';
import { headerStampNs } from '../kit/stamps.js';
import { topics } from '../kit/topics.js';
import type { ControlLoop, LoopParts } from './control-loop.js';
import type { PolicyDiagnostics } from './diagnostics.js';

/** A /clock message that is behind the last by less than this was overtaken by it; by more, the clock went back. */
const LATE_NS = 1_000_000_000n;

/** What the node's subscriptions work with. */
export interface InputOptions extends LoopParts {
  readonly transport: Transport;
  readonly simulation: SimulationClock;
  readonly diagnostics: PolicyDiagnostics;
  /** In lockstep all time is simulated: how long learning took must not make a state old. */
  readonly lockstep: boolean;
  /** The loop that runs; undefined while the node is not active. */
  readonly loop: () => ControlLoop | undefined;
}

/** Subscribes to what the robot (or its simulator) publishes: the state topics, /task_state and /clock. */
export function subscribeRobot(options: InputOptions): Closable[] {
  const { transport, assembler, loop } = options;
  let clockNs = -1n;
  return [
    ...assembler.topics.map(({ topic, type }) => subscribeState(topic, type, options)),
    transport.subscribe(topics.taskState, 'iq_learn/msg/TaskState', (task) => loop()?.takeTask(task), qos.event),
    transport.subscribe(
      topics.clock,
      'rosgraph_msgs/msg/Clock',
      (message) => {
        const timeNs = nanosecondsOf(message.clock);
        if (timeNs < clockNs && clockNs - timeNs < LATE_NS) return;
        clockNs = timeNs;
        takeClock(message, options);
      },
      qos.sensor,
    ),
  ];
}

function subscribeState(
  topic: string,
  type: MessageTypeName,
  { transport, assembler, commands, diagnostics, lockstep, loop }: InputOptions,
): Closable {
  return transport.subscribe(
    topic,
    type,
    (message, { receivedNs }) => {
      const running = loop();
      if (running === undefined) return;
      const before = assembler.stamps.get(topic);
      assembler.accept(topic, message, lockstep ? (headerStampNs(message) ?? 0n) : receivedNs);
      if (type === 'sensor_msgs/msg/JointState') commands.updateJoints(message as JointState);
      diagnostics.stateRate.mark();
      running.takeState(topic, assembler.stamps.get(topic) !== before);
    },
    qos.sensor,
  );
}

/** After a jump of the clock, state from before it is forgotten, and the step under way has no outcome. */
function takeClock(
  message: MessageTypes['rosgraph_msgs/msg/Clock'],
  { assembler, simulation, commands, transitions, diagnostics }: InputOptions,
): void {
  if (!simulation.accept(message)) return;
  diagnostics.clockJumps++;
  assembler.reset();
  commands.takeover.reset();
  transitions.cut();
}
