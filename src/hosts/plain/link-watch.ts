import { randomUUID } from 'node:crypto';
import { type LearnerLinkFile, linkTopics } from '../../link/index.js';
import type { LearnerStatus, MessageTypes } from '../../messages/index.js';
import { LEARNER, type MqttConnection, MqttTransport, openMqtt, qos } from '../../transport/index.js';
import type { OpenedLink } from './link-file.js';

const CONNECT_MS = 10_000;

/** How one robot of a link stands, for people and programs. Numbers are null while nothing was heard. */
export interface RobotRow {
  readonly robot: string;
  /** ONLINE, OFFLINE, CONNECTIONBROKEN, or NEVER SEEN. */
  readonly state: string;
  readonly secondsSinceSeen: number | null;
  readonly recordsPerSecond: number | null;
  readonly policyVersion: number | null;
  /** Policies of the learner that are newer than the robot's. */
  readonly policiesBehind: number | null;
  /** Records in the spool, which the learner has not saved yet. */
  readonly waiting: number | null;
  readonly droppedTransitions: number | null;
  readonly droppedDemonstrations: number | null;
  /** `ok`, or why nothing is learned from the robot; null while the learner was not heard. */
  readonly data: string | null;
  /** Transitions that may be learned from, and those that were left out, since the learner was started. */
  readonly admitted: number | null;
  readonly leftOut: number | null;
  /** Of the robot's last episodes from the demonstrations. */
  readonly distance: number | null;
  /** Files of recordings on the robot that the learner does not have whole, and that it has. */
  readonly recordingsWaiting: number | null;
  readonly recordingsSent: number | null;
  /** Recordings of the robot that are learned from, and that are not, and why the last one is not. */
  readonly recordingsUsed: number | null;
  readonly recordingsAside: number | null;
  readonly recordingsProblem: string | null;
  /** Clock of the learner's side minus the robot's. */
  readonly clockOffsetMs: number | null;
}

export const robotColumns = [
  'robot',
  'state',
  'seen',
  'records/s',
  'policy',
  'behind',
  'waiting',
  'dropped',
  'transitions',
  'distance',
  'recordings',
  'clock offset',
  'data',
] as const;

const cell = (value: number | null, unit = '', digits = 0): string =>
  value === null ? '–' : `${value.toFixed(digits)}${unit}`;

/** As `2 sent, 1 waiting, 1 set aside`; a robot that sends none has nothing to say. */
function recordingsCell(row: RobotRow): string {
  const parts = [
    [row.recordingsSent, 'sent'],
    [row.recordingsWaiting, 'waiting'],
    [row.recordingsAside, 'set aside'],
  ] as const;
  const said = parts.filter(([count]) => count !== null && count > 0).map(([count, what]) => `${count} ${what}`);
  return said.length === 0 ? '–' : said.join(', ');
}

/** A row as texts, in the order of {@link robotColumns}. */
export function robotCells(row: RobotRow): string[] {
  const { droppedTransitions, droppedDemonstrations } = row;
  return [
    row.robot,
    row.state,
    cell(row.secondsSinceSeen, ' s ago', 1),
    cell(row.recordsPerSecond, '', 1),
    cell(row.policyVersion),
    cell(row.policiesBehind),
    cell(row.waiting),
    cell(droppedTransitions === null ? null : droppedTransitions + (droppedDemonstrations ?? 0)),
    cell(row.admitted),
    cell(row.distance, '', 3),
    recordingsCell(row),
    cell(row.clockOffsetMs, ' ms', 1),
    row.data === null || row.data === 'ok' ? (row.data ?? '–') : `set aside: ${row.data}`,
  ];
}

interface Seen {
  presence: string;
  heardMs: number | null;
  gateway: MessageTypes['iq_learn_link/msg/GatewayStatus'] | null;
  learner: LearnerStatus | null;
}

/** Looks at a link beside the learner, with its certificate but a name of its own. */
export class LinkWatch {
  readonly #connection: MqttConnection;
  readonly #transports: MqttTransport[] = [];
  readonly #seen = new Map<string, Seen>();
  #fleet: MessageTypes['iq_learn_link/msg/FleetStatus'] | undefined;

  private constructor(connection: MqttConnection, robots: readonly string[]) {
    this.#connection = connection;
    for (const robot of robots) this.#watch(robot);
  }

  /** Throws UNAVAILABLE where the broker cannot be reached. */
  static async open(link: OpenedLink<LearnerLinkFile>): Promise<LinkWatch> {
    const { presence: _, ...mqtt } = link.mqtt({
      clientId: `${link.file.fleet}-status-${randomUUID()}`,
      onError: () => {},
    });
    const connection = await openMqtt(mqtt);
    try {
      await connection.connected(CONNECT_MS);
      return new LinkWatch(connection, [...link.file.robots, LEARNER]);
    } catch (error) {
      await connection.end();
      throw error;
    }
  }

  /** How the rollout of policies stands, for people. */
  get rollout(): string {
    return this.#fleet?.rollout ?? 'the learner was not heard';
  }

  /** How much waits for the learner, for people; undefined while it was not heard. */
  get backlog(): string | undefined {
    if (this.#fleet === undefined) return undefined;
    const { backlog, backlog_limit, behind } = this.#fleet;
    return `${backlog} of at most ${backlog_limit} transitions wait${behind ? ': it is behind, and robots keep what they have' : ''}`;
  }

  /** Robots in the order of the file. */
  rows(nowMs: number): RobotRow[] {
    return [...this.#seen]
      .filter(([robot]) => robot !== LEARNER)
      .map(([robot, { presence, heardMs, gateway, learner }]) => {
        const of = (value: number | bigint | undefined): number | null =>
          value === undefined || Number.isNaN(Number(value)) ? null : Number(value);
        const own = this.#fleet?.robots.find((each) => each.robot === robot);
        const policyVersion = of(gateway?.policy_version);
        return {
          robot,
          state: presence === '' ? 'NEVER SEEN' : presence,
          secondsSinceSeen: heardMs === null ? null : (nowMs - heardMs) / 1000,
          recordsPerSecond: of(gateway?.records_per_second),
          policyVersion,
          policiesBehind:
            learner === null || policyVersion === null ? null : Number(learner.policy_version) - policyVersion,
          waiting: of(gateway?.waiting),
          droppedTransitions: of(gateway?.dropped_transitions),
          droppedDemonstrations: of(gateway?.dropped_demonstrations),
          clockOffsetMs: of(gateway?.clock_offset_ms),
          data: own === undefined ? null : own.aside === '' ? 'ok' : own.aside,
          admitted: of(own?.admitted),
          leftOut: of(own?.left_out),
          recordingsWaiting: of(gateway?.recordings_waiting),
          recordingsSent: of(gateway?.recordings_sent),
          recordingsUsed: of(own?.recordings_used),
          recordingsAside: of(own?.recordings_aside),
          recordingsProblem: own === undefined || own.recordings_problem === '' ? null : own.recordings_problem,
          distance: of(own?.distance),
        };
      });
  }

  async close(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()));
    await this.#connection.end();
  }

  #watch(robot: string): void {
    const seen: Seen = { presence: '', heardMs: null, gateway: null, learner: null };
    this.#seen.set(robot, seen);
    const transport = new MqttTransport(this.#connection, robot);
    this.#transports.push(transport);
    transport.subscribe(
      linkTopics.presence.topic,
      'iq_learn_link/msg/Presence',
      ({ state }) => {
        seen.presence = state;
      },
      qos.latched,
    );
    if (robot === LEARNER) {
      transport.subscribe(
        linkTopics.fleetStatus.topic,
        'iq_learn_link/msg/FleetStatus',
        (status) => {
          this.#fleet = status;
        },
        qos.sensor,
      );
      return;
    }
    transport.subscribe(
      linkTopics.gatewayStatus.topic,
      'iq_learn_link/msg/GatewayStatus',
      (status) => {
        seen.gateway = status;
        seen.heardMs = Date.now();
      },
      qos.sensor,
    );
    transport.subscribe(
      linkTopics.learnerStatus.topic,
      'iq_learn/msg/LearnerStatus',
      (status) => {
        seen.learner = status;
      },
      qos.sensor,
    );
  }
}
