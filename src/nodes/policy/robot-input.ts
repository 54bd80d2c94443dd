import { type IqLearnError, wallClockNs } from '../../common/index.js';
import { type JointState, type MessageTypes, nanosecondsOf } from '../../messages/index.js';
import type { SimulationClock, TopicSpec } from '../../robot/index.js';
import { type Closable, type Qos, qos, type Transport } from '../../transport/index.js';
import { headerStampNs } from '../kit/stamps.js';
import { topics } from '../kit/topics.js';
import { subscribeTransforms } from '../kit/transforms.js';
import type { ControlLoop, LoopParts } from './control-loop.js';
import type { PolicyDiagnostics } from './diagnostics.js';
import type { OperatorLog } from './operator-log.js';

/** A /clock message that is behind the last by less than this was overtaken by it; by more, the clock went back. */
const LATE_NS = 1_000_000_000n;

/** What the node's subscriptions work with. */
export interface InputOptions extends LoopParts {
  readonly transport: Transport;
  readonly simulation: SimulationClock;
  readonly diagnostics: PolicyDiagnostics;
  readonly log: OperatorLog;
  /** In lockstep all time is simulated: how long learning took must not make a state old. */
  readonly lockstep: boolean;
  /** The loop that runs; undefined while the node is not active. */
  readonly loop: () => ControlLoop | undefined;
  /** Called with the reason where transforms cannot be heard. */
  readonly onMissing: (reason: string) => void;
  /** The last message of each topic whose state is said once: it may arrive before the node is active. */
  readonly said: Map<string, { readonly message: unknown; readonly receivedNs: bigint }>;
}

/** Subscribes to what the robot (or its simulator) publishes: the state topics, /task_state and /clock. */
export function subscribeRobot(options: InputOptions): Closable[] {
  const { transport, assembler, loop } = options;
  let clockNs = -1n;
  return [
    ...assembler.topics.flatMap((spec) => subscribeState(spec, options)),
    ...subscribeTransforms(
      transport,
      assembler.transformTopics,
      (message, { isStatic }) => {
        for (const topic of assembler.acceptTransforms(message, isStatic)) loop()?.takeState(topic, true);
      },
      options.onMissing,
    ),
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

/**
 * A topic whose state is said once is heard from publishers of both kinds: one that keeps its last message for those who
 * come later, and one that does not. A message that comes twice is a repetition.
 */
function subscribeState(spec: TopicSpec, options: InputOptions): Closable[] {
  const qualities = spec.timeoutMs === Number.POSITIVE_INFINITY ? [qos.sensor, qos.latched] : [qos.sensor];
  return qualities.map((quality) => subscribeWith(spec, quality, options));
}

function subscribeWith({ topic, type, timeoutMs }: TopicSpec, quality: Qos, options: InputOptions): Closable {
  const { transport, assembler, commands, diagnostics, lockstep, loop, said } = options;
  const isSaidOnce = timeoutMs === Number.POSITIVE_INFINITY;
  return transport.subscribe(
    topic,
    type,
    (message, { receivedNs }) => {
      if (isSaidOnce) said.set(topic, { message, receivedNs });
      const running = loop();
      if (running === undefined) return;
      const presentlyNs = lockstep ? null : stampNowNs(options);
      const acceptedNs = lockstep ? (headerStampNs(message) ?? 0n) : receivedNs;
      const accepted = assembler.accept(topic, message, acceptedNs, presentlyNs);
      if (type === 'sensor_msgs/msg/JointState') commands.updateJoints(message as JointState);
      diagnostics.stateRate.mark();
      if (accepted && diagnostics.unheard.size > 0) diagnostics.unheard.delete(topic);
      running.takeState(topic, accepted);
      if (accepted && presentlyNs !== null && !isSaidOnce) compareClock(topic, message, presentlyNs, options);
    },
    quality,
    {
      // A driver that is put right is heard without starting anew; until then the robot stands, and says why.
      waits: true,
      tell: (reason) => {
        // One that keeps nothing for those who come later does not fit the subscription of kept messages, but the other.
        if (quality !== qos.latched) assembler.cannotHear(topic, noteUnheard(topic, reason, options));
      },
    },
  );
}

/** Keeps why nothing of a publisher of a topic arrives, for the diagnostics, and gives it as a clause without the topic. */
export function noteUnheard(
  topic: string,
  { message, found, expected }: IqLearnError,
  { diagnostics }: Pick<InputOptions, 'diagnostics'>,
): string {
  const known = found !== undefined && expected !== undefined;
  const text = `cannot be heard: ${known ? `found ${found}, expected ${expected}` : message}`;
  diagnostics.unheard.set(topic, `${topic} ${text}`);
  return text;
}

/** Stamps that differ by more from this computer's clock are of another clock, or the driver is late: nanoseconds. */
const OTHER_CLOCK_NS = 1_000_000_000n;

/** Says where a topic is stamped by another clock: it drives all the same, as its age is that of its arrival. */
function compareClock(topic: string, message: object, presentlyNs: bigint, options: InputOptions): void {
  const { clocks } = options.diagnostics;
  const stampNs = headerStampNs(message) ?? 0n;
  const offNs = stampNs - presentlyNs;
  if (stampNs === 0n || (offNs < OTHER_CLOCK_NS && offNs > -OTHER_CLOCK_NS)) {
    clocks.delete(topic);
    return;
  }
  const seconds = Math.abs(Number(offNs)) / 1e9;
  const told = clocks.has(topic);
  const reason =
    `${topic}: header.stamp is ${seconds.toFixed(1)} s ${offNs > 0n ? 'ahead of' : 'behind'} this computer's clock, ` +
    'expected within 1 s of it: set the clocks (NTP, chrony; use_sim_time for all)';
  clocks.set(topic, reason);
  if (!told) options.log.clockDiffers(reason);
}

/** Gives the assembler, which has forgotten all, what was said once and stays true. */
export function hearAgain(said: InputOptions['said'], assembler: LoopParts['assembler']): void {
  for (const [topic, { message, receivedNs }] of said) assembler.accept(topic, message, receivedNs);
}

/** After a jump of the clock, state from before it is forgotten, and the step under way has no outcome. */
function takeClock(
  message: MessageTypes['rosgraph_msgs/msg/Clock'],
  { assembler, simulation, commands, transitions, diagnostics }: InputOptions,
): void {
  if (!simulation.accept(message)) return;
  diagnostics.clockJumps++;
  assembler.clockJumped();
  commands.takeover.reset();
  transitions.cut();
}

/** The present time on the clock that messages are stamped by. */
export function stampNowNs({ lockstep, loop, simulation }: InputOptions): bigint {
  return lockstep ? (loop()?.stampNs ?? 0n) : presentNs(simulation);
}

/** The simulated time where there is a simulation, else the time of day. */
export function presentNs(simulation: SimulationClock): bigint {
  const clock = simulation.status();
  return clock.state === 'running' || clock.state === 'paused' ? clock.timeNs : wallClockNs();
}
