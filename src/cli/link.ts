import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { IqLearnError, messageOf } from '../common/index.js';
import {
  addRobots,
  initLink,
  LinkWatch,
  openLearnerLink,
  type RobotRow,
  renewAccess,
  requestOfFleet,
  robotCells,
  robotColumns,
  startBroker,
} from '../hosts/plain/index.js';
import { paceOf } from '../link/index.js';
import type { Logger } from '../platform/index.js';
import { command, type Io, longCommand } from './command.js';
import type { OutputOptions } from './output.js';
import { fileLogger } from './session.js';
import { columns } from './table.js';

function initCommand(io: Io): Command {
  return command('init', 'Make keys, certificates, access rules and files for the ends of a link.', [
    'iq-learn link init --broker mqtts://gpu-host:8883 --robots rover-1,rover-2',
  ])
    .requiredOption('--broker <url>', 'where robots and learner reach the broker: mqtts://host:8883')
    .requiredOption('--robots <names>', 'identities of the robots, separated by commas')
    .option('--fleet <name>', 'robots of one description and their learner', 'fleet')
    .option('--out <folder>', 'a folder for the files', 'link')
    .action(({ broker, robots, fleet, out }: { broker: string; robots: string; fleet: string; out: string }) => {
      const names = robots.split(',').map((name) => name.trim());
      const { steps } = initLink({ folder: out, broker, fleet, robots: names });
      io.stdout.write(`${steps.join('\n')}\n`);
    });
}

const learnerOption = ['--link <file>', "the learner's file of the link"] as const;

function addCommand(io: Io): Command {
  return command('add', 'Add robots to a link, with the authority that it has; the others go on as they are.', [
    'iq-learn link add rover-3 --link link/learner.yaml',
  ])
    .argument('<robots...>', 'identities of the robots')
    .requiredOption(...learnerOption)
    .action((robots: string[], { link }: { link: string }) => {
      io.stdout.write(`${addRobots(link, robots).steps.join('\n')}\n`);
    });
}

function accessCommand(io: Io): Command {
  return command('access', "Bring the broker's access lists of a link that an older iq-learn made up to date.", [
    'iq-learn link access --link link/learner.yaml',
  ])
    .requiredOption(...learnerOption)
    .action(({ link }: { link: string }) => {
      io.stdout.write(`${renewAccess(link).steps.join('\n')}\n`);
    });
}

/** Resolves when the user ends the command. */
function interrupted(io: Io): Promise<void> {
  return new Promise((resolve) => {
    io.interrupt.signal.addEventListener('abort', () => resolve(), { once: true });
    if (io.interrupt.signal.aborted) resolve();
  });
}

function brokerCredentials(folder: string) {
  const read = (name: string): string => {
    try {
      return readFileSync(join(folder, 'broker', name), 'utf8');
    } catch (cause) {
      throw new IqLearnError('NOT_FOUND', "the broker's certificate cannot be read", {
        found: messageOf(cause),
        expected: `${folder}/broker/, as iq-learn link init made it`,
        cause,
      });
    }
  };
  return { authority: read('authority.crt'), certificate: read('broker.crt'), key: read('broker.key') };
}

function brokerCommand(io: Io): Command {
  return longCommand('broker', 'Run a broker to start with, until Ctrl-C: aedes, MQTT 3.1.1, everything in memory.', [
    'iq-learn link broker --link link/learner.yaml',
  ])
    .requiredOption('--link <file>', "the learner's file of the link, beside the folder broker/")
    .action(async ({ link: file, ...options }: OutputOptions & { link: string }) => {
      const link = openLearnerLink(file);
      const url = new URL(link.file.broker);
      const tls = url.protocol === 'mqtts:';
      const port = url.port === '' ? (tls ? 8883 : 1883) : Number(url.port);
      const logger: Logger = fileLogger(undefined, options)('broker');
      const { fleet, robots } = link.file;
      const credentials = tls ? brokerCredentials(dirname(file)) : undefined;
      const broker = await startBroker({ fleet, robots, port, logger, ...(credentials && { credentials }) });
      io.stderr.write(`broker on port ${broker.port} for ${robots.join(', ')}${tls ? '' : ', this machine only'}\n`);
      await interrupted(io);
      await broker.close();
    });
}

/** Why recordings of robots are not learned from, a line for each robot. */
const problemsOf = (rows: readonly RobotRow[]): string =>
  rows
    .filter(({ recordingsProblem }) => recordingsProblem !== null)
    .map(({ robot, recordingsProblem }) => `${robot}: a recording is set aside: ${recordingsProblem}\n`)
    .join('');

interface StatusOptions extends OutputOptions {
  readonly link: string;
  readonly watch: boolean;
  readonly json: boolean;
}

function statusCommand(io: Io): Command {
  return command('status', 'Show the robots of a link: whether they are there, rates, policies, what waits.', [
    'iq-learn link status --link link/learner.yaml',
    'iq-learn link status --link link/learner.yaml --watch',
  ])
    .requiredOption('--link <file>', "the learner's file of the link")
    .option('--watch', 'again every second, until Ctrl-C', false)
    .option('--json', 'as JSON, one document a line', false)
    .action(async ({ link: file, watch, json }: StatusOptions) => {
      const link = openLearnerLink(file);
      for (const warning of link.warnings(Date.now())) io.stderr.write(`${warning}\n`);
      const view = await LinkWatch.open(link);
      try {
        // Two statuses of each robot.
        await sleep(2.5 * paceOf(link.file.robots.length).statusMs);
        for (;;) {
          const rows = view.rows(Date.now());
          const table = `${columns([robotColumns, ...rows.map(robotCells)])}\npolicies: ${view.rollout}\nlearner: ${view.backlog ?? 'not heard'}\n${problemsOf(rows)}`;
          io.stdout.write(json ? `${JSON.stringify(rows)}\n` : table);
          if (!watch || io.interrupt.signal.aborted) return;
          await Promise.race([sleep(1000), interrupted(io)]);
        }
      } finally {
        await view.close();
      }
    });
}

interface FleetCommand {
  readonly verb: 'rollback' | 'resume' | 'aside' | 'release';
  readonly description: string;
  readonly example: string;
  /** Whether it is about one robot. */
  readonly robot: boolean;
}

const fleetCommands: readonly FleetCommand[] = [
  {
    verb: 'rollback',
    description: 'Take the newest policy back: all robots go back to the one before, and keep it until resume.',
    example: 'iq-learn link rollback --link link/learner.yaml',
    robot: false,
  },
  {
    verb: 'resume',
    description: 'Have new policies sent again after a rollback.',
    example: 'iq-learn link resume --link link/learner.yaml',
    robot: false,
  },
  {
    verb: 'aside',
    description: 'Set a robot aside: nothing is learned from it until it is released.',
    example: 'iq-learn link aside rover-2 --reason "a loose wheel" --link link/learner.yaml',
    robot: true,
  },
  {
    verb: 'release',
    description: 'Learn from a robot again that was set aside, by a person or for its data.',
    example: 'iq-learn link release rover-2 --link link/learner.yaml',
    robot: true,
  },
];

function fleetCommand(io: Io, { verb, description, example, robot }: FleetCommand): Command {
  const made = command(verb, description, [example]);
  if (robot) made.argument('<robot>', 'identity of the robot');
  if (verb === 'aside') made.option('--reason <text>', 'for whoever looks at the status', '');
  made.requiredOption('--link <file>', "the learner's file of the link");
  return made.action(async (...given: unknown[]) => {
    const name = robot ? (given[0] as string) : '';
    const { link, reason = '' } = given[robot ? 1 : 0] as { link: string; reason?: string };
    io.stdout.write(`${await requestOfFleet(openLearnerLink(link), { verb, robot: name, reason })}\n`);
  });
}

/** `iq-learn link …`: everything about the link between robots and a learner elsewhere. */
export function linkCommand(io: Io): Command {
  const made = command('link', 'Join robots with a learner elsewhere over MQTT, and look after them.', [
    'iq-learn link init --broker mqtts://gpu-host:8883 --robots rover-1,rover-2',
  ]);
  for (const each of [initCommand, addCommand, accessCommand, brokerCommand, statusCommand]) made.addCommand(each(io));
  for (const each of fleetCommands) made.addCommand(fleetCommand(io, each));
  return made;
}
