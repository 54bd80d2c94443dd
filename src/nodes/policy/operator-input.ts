import { type Closable, qos, type Unheard } from '../../transport/index.js';
import { headerStampNs } from '../kit/stamps.js';
import { OtherCommands } from './other-commands.js';
import { type InputOptions, noteUnheard, stampNowNs } from './robot-input.js';

/** Subscribes to what others do: teleoperation, the dead-man button where the robot has one, the e-stop, and commands beside this node's. */
export function subscribeOperator(options: InputOptions): Closable[] {
  const { spec, transport, commands, loop } = options;
  // An emergency stop of another type must not go unnoticed: the node is not configured with one.
  const unheard = (topic: string): Unheard => ({
    waits: false,
    tell: (reason) => void noteUnheard(topic, reason, options),
  });
  const subscriptions = [
    // In lockstep it is a simulation of this node alone.
    ...(options.lockstep ? [] : [new OtherCommands(options)]),
    ...spec.commands.map(({ teleop }) =>
      transport.subscribe(
        teleop.topic,
        teleop.type,
        (message, { receivedNs }) => takeTeleop(teleop.topic, message, receivedNs, options),
        { ...qos.command, depth: 10 },
        unheard(teleop.topic),
      ),
    ),
    transport.subscribe(
      spec.estopTopic,
      'std_msgs/msg/Bool',
      ({ data }, { receivedNs }) => {
        const changed = data !== commands.estop;
        commands.setEstop(data, timeOf(receivedNs, options));
        if (changed) loop()?.takeEstop();
      },
      qos.event,
      unheard(spec.estopTopic),
    ),
  ];
  const { deadman } = commands;
  if (spec.deadman === undefined || deadman === undefined) return subscriptions;
  const button = transport.subscribe(
    spec.deadman.topic,
    'sensor_msgs/msg/Joy',
    (message, { receivedNs }) => {
      const nowNs = timeOf(receivedNs, options);
      const before = deadman.held(nowNs);
      deadman.accept(message, nowNs);
      if (before && !deadman.held(nowNs)) loop()?.takeEstop();
    },
    qos.sensor,
    unheard(spec.deadman.topic),
  );
  return [...subscriptions, button];
}

function takeTeleop(topic: string, message: object, receivedNs: bigint, options: InputOptions): void {
  const { commands, diagnostics, log, lockstep, loop } = options;
  const running = loop();
  if (running === undefined) return;
  const nowNs = timeOf(receivedNs, options);
  if (commands.deadman?.held(nowNs) === false) {
    diagnostics.unheld++;
    return;
  }
  const { takeover } = commands;
  const { malformed } = takeover.counters;
  const isAccepted = takeover.accept(topic, message, nowNs, stampNowNs(options));
  if (takeover.counters.malformed > malformed) log.teleopRefused(topic, takeover.lastProblem);
  if (takeover.contradicted.isNow) log.contested(takeover.contradicted.text);
  // In lockstep a state is answered once, so all parts of the robot have to be commanded first.
  if (isAccepted && (!lockstep || takeover.isWhole)) running.takeTeleop(headerStampNs(message));
}

/** The time of a message on the clock of the safety filter: simulated in lockstep, else when it arrived. */
function timeOf(receivedNs: bigint, { lockstep, loop }: InputOptions): bigint {
  return lockstep ? (loop()?.stampNs ?? 0n) : receivedNs;
}
