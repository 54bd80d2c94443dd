import type { Command } from 'commander';
import { IqLearnError } from '../common/index.js';
import {
  openLocalTopics,
  openRobotLink,
  PlainNode,
  type PlainNodeOptions,
  plainGateway,
  plainPolicy,
  plainRecorder,
  serveHealth,
} from '../hosts/plain/index.js';
import { loadRobotSpec, robotNames } from '../robot/index.js';
import { command, type Io, longCommand } from './command.js';
import { healthAddress, integer, robot } from './options.js';
import type { OutputOptions } from './output.js';
import { fileLogger } from './session.js';

const CALL_MS = 10_000;

interface NodeOptions extends OutputOptions {
  readonly robot: string;
  readonly broker: string;
  readonly health: string;
}

/** Adds what every node has: the robot and its own broker. */
function onRobot(made: Command): Command {
  return made
    .requiredOption('--robot <name>', `${robotNames().join(', ')}, or the path of a RobotSpec`, robot)
    .option('--broker <url>', "the broker of the robot's own topics, on this machine", 'mqtt://127.0.0.1:1883');
}

const nodeCommand = (name: string, description: string, health: string, example: string): Command =>
  onRobot(longCommand(name, description, [example])).option(
    '--health <address>',
    'where /healthz and /metrics are served, or off',
    healthAddress,
    health,
  );

/** Runs a node until a signal ends the process, or the node has a fault. */
async function runNode(
  io: Io,
  name: string,
  options: NodeOptions,
  more: Pick<PlainNodeOptions, 'make'>,
): Promise<void> {
  const logger = fileLogger(undefined, { logLevel: 'info', ...options })(name);
  const spec = loadRobotSpec(options.robot);
  const node = await PlainNode.start({ spec, broker: options.broker, logger, ...more });
  let health: { readonly port: number; close(): void } | undefined;
  try {
    if (options.health !== 'off') {
      health = await serveHealth(options.health, node);
      io.stderr.write(`health: http://${options.health.replace(/:\d+$/, '')}:${health.port}/healthz\n`);
    }
    io.stderr.write(`${name} of ${spec.robot} on ${options.broker}\n`);
    await new Promise<void>((resolve, reject) => {
      io.interrupt.signal.addEventListener('abort', () => resolve(), { once: true });
      if (io.interrupt.signal.aborted) resolve();
      node.onFault(reject);
    });
  } finally {
    health?.close();
    await node.close();
  }
}

interface PolicyOptions extends NodeOptions {
  readonly policy?: string;
  readonly drive: boolean;
  readonly stochastic: boolean;
  readonly estopHeartbeat?: number;
}

function policyCommand(io: Io): Command {
  return nodeCommand(
    'policy',
    'Drive the robot: policy, safety filter, takeover, e-stop. It begins paused.',
    '127.0.0.1:8788',
    'iq-learn node policy --robot rover --policy runs/rover-link/policy',
  )
    .option('--policy <folder>', 'a policy to begin with; else it waits for one from the gateway')
    .option('--drive', 'begin at once, instead of when iq-learn node call resume says so', false)
    .option('--stochastic', 'draw actions from the policy instead of taking its mean, for learning', false)
    .option(
      '--estop-heartbeat <ms>',
      'stop unless it is said this often that the e-stop is released',
      integer('--estop-heartbeat', 1, 60_000),
    )
    .action(async ({ policy, drive, stochastic, estopHeartbeat, ...options }: PolicyOptions) => {
      const given = {
        beginPaused: !drive,
        stochastic,
        estopHeartbeatMs: estopHeartbeat ?? null,
        ...(policy !== undefined && { policy }),
      };
      await runNode(io, 'policy', options, { make: (context) => plainPolicy(context, given) });
    });
}

function recorderCommand(io: Io): Command {
  return nodeCommand(
    'recorder',
    'Record the topics of the robot as demonstrations, until Ctrl-C.',
    '127.0.0.1:8789',
    'iq-learn node recorder --robot rover --out recordings',
  )
    .option('--out <folder>', 'holds a folder for each recording', 'recordings')
    .action(async ({ out, ...options }: NodeOptions & { readonly out: string }) => {
      await runNode(io, 'recorder', options, { make: (context) => plainRecorder(context, out) });
    });
}

function gatewayCommand(io: Io): Command {
  return nodeCommand(
    'gateway',
    'Join the robot with a learner elsewhere: transitions and recordings go, signed policies come.',
    '127.0.0.1:8790',
    'iq-learn node gateway --robot rover --link link/rover-1.yaml',
  )
    .requiredOption('--link <file>', "the robot's file of the link, from iq-learn link init")
    .action(async ({ link, ...options }: NodeOptions & { readonly link: string }) => {
      const opened = openRobotLink(link);
      await runNode(io, 'gateway', options, { make: (context) => plainGateway(context, opened) });
    });
}

/** What a person may ask of the nodes of a robot, and the service that does it. */
const calls: Readonly<Record<string, string>> = {
  start: '/recorder/start_episode',
  stop: '/recorder/stop_episode',
  discard: '/recorder/discard_episode',
  pause: '/policy/pause',
  resume: '/policy/resume',
  'reset-fault': '/policy/reset_fault',
};

function callCommand(io: Io): Command {
  const names = Object.keys(calls);
  return onRobot(
    command('call', 'Ask a node of the robot for something: episodes of the recorder, pauses of the policy.', [
      'iq-learn node call start --robot rover',
      'iq-learn node call resume --robot rover',
    ]),
  )
    .argument('<what>', names.join(', '))
    .action(async (what: string, options: NodeOptions) => {
      const service = calls[what];
      if (service === undefined)
        throw new IqLearnError('INVALID_ARGUMENT', 'nobody can do that', { found: what, expected: names.join(', ') });
      const spec = loadRobotSpec(options.robot);
      const logger = fileLogger(undefined, options)('call');
      const { transport, close } = await openLocalTopics({ broker: options.broker, spec, logger });
      try {
        const timeout = { timeoutMs: CALL_MS };
        const { success, message } =
          what === 'start'
            ? await transport.call(service, 'iq_learn/srv/StartEpisode', { seed: -1n }, timeout)
            : await transport.call(service, 'std_srvs/srv/Trigger', {}, timeout);
        if (!success) throw new IqLearnError('CONFLICT', `${service} does not do it`, { found: message });
        io.stdout.write(`${message === '' ? 'done' : message}\n`);
      } finally {
        await close();
      }
    });
}

/** `iq-learn node …`: the nodes of a robot whose driver speaks MQTT, as processes without ROS. */
export function nodesCommand(io: Io): Command {
  const made = command('node', 'Run the nodes of a robot without ROS, on a broker on its computer.', [
    'iq-learn node policy --robot rover --policy runs/rover-link/policy',
  ]);
  for (const each of [policyCommand, recorderCommand, gatewayCommand, callCommand]) made.addCommand(each(io));
  return made;
}
