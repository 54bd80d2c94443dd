import { join } from 'node:path';
import { messageOf, steadyClock, throwIfCancelled } from '../../common/index.js';
import type { Episode } from '../../learning/index.js';
import { type BacklogGate, PolicySigner, paceOf } from '../../link/index.js';
import {
  LearnerGateway,
  LearnerNode,
  LocalRecords,
  type NodeContext,
  type RobotView,
  rowShape,
} from '../../nodes/index.js';
import { lockFolder, makeFolder, removeEmptyFolders } from '../../platform/index.js';
import { writeBundle } from '../../policy/index.js';
import { checkpointSegments, learnsFromStatesAlone, runPlan, type TrainingProcess } from '../../training/index.js';
import { EmbeddedBroker, LEARNER, type MqttConnection, MqttTransport, openMqtt } from '../../transport/index.js';
import { ArrivedRecordings } from './arrived-recordings.js';
import { Fleet, type FleetRobot } from './fleet.js';
import { fleetGauges } from './fleet-gauges.js';
import type { Gauge, HealthSource } from './health.js';
import { backlogGate } from './learner-backlog.js';
import { logLinkError } from './link-errors.js';
import { demonstrationsOf, forgetDemonstrations } from './serve-demonstrations.js';
import { type ServeOptions, startLearning } from './serve-learning.js';
import { StreamPlaces } from './stream-places.js';
import { takeSlice } from './take-slice.js';

/**
 * The learner of a fleet on a GPU host, without ROS: a learner node on topics within this process, and a gateway for each
 * robot that joins them with the link.
 */
export class LearnerHost implements HealthSource {
  readonly #options: ServeOptions;
  readonly #client: TrainingProcess;
  readonly #connection: MqttConnection;
  readonly #broker = new EmbeddedBroker();
  readonly #learner: LearnerNode;
  readonly #gateways = new Map<string, LearnerGateway>();
  readonly #links: MqttTransport[] = [];
  readonly #recordings: ArrivedRecordings;
  readonly #fleet: Fleet;
  readonly #gate: BacklogGate;
  readonly #lock: { release(): void };

  private constructor(
    options: ServeOptions,
    client: TrainingProcess,
    connection: MqttConnection,
    lock: { release(): void },
    demonstrations: readonly Episode[],
  ) {
    const { settings, link, run } = options;
    this.#options = options;
    this.#client = client;
    this.#connection = connection;
    this.#lock = lock;
    const { segments, session } = client.start;
    const places = new StreamPlaces(segments, session);
    const { robots, rollout } = link.file;
    this.#learner = new LearnerNode(this.#context('learner'), client, {
      segmentSize: settings.segmentSize,
      maxSessions: Math.min(10_000, 64 * robots.length),
    });
    this.#learner.attribute((transition) => places.robotOf(transition));
    this.#learner.storeWithSegments((_, all) => places.after(all));
    this.#gate = backlogGate(options, this.#learner, () => {
      for (const gateway of this.#gateways.values()) gateway.announce();
    });
    const every = checkpointSegments(settings.segmentSize);
    this.#learner.onProgress(() => this.#gate.look());
    this.#learner.onSaved((segments) => {
      for (const [robot, place] of places.saved(segments)) this.#gateways.get(robot)?.confirm(place);
      void this.#writePolicy();
    });
    this.#join(places);
    const { config } = runPlan(settings);
    const own = new MqttTransport(connection, LEARNER);
    this.#links.push(own);
    for (const gateway of this.#gateways.values()) gateway.configure();
    this.#fleet = new Fleet(
      {
        spec: options.spec,
        robots,
        rollout: { ...rollout, mode: rollout.mode ?? (robots.length > 1 ? 'staged' : 'all') },
        demonstrations,
        statesOnly: learnsFromStatesAlone(config),
        folder: join(run, 'fleet'),
        spacing: every,
        logger: options.logger('fleet'),
        view: (robot) => this.#gateways.get(robot)!.view,
        send: (robot, policy) => this.#gateways.get(robot)!.send(policy),
        recordings: (robot) => this.#recordings.of(robot),
        leaveOut: (robot, place) => places.leaveOut(robot, place),
        gate: this.#gate,
      },
      own,
      this.#broker.connect(),
    );
    this.#learner.onRollout(({ robot, return: total }) => this.#fleet.returned(robot, total));
    this.#learner.configure();
    for (const gateway of this.#gateways.values()) gateway.activate();
    this.#learner.activate();
    this.#recordings = this.#takeRecordings(places);
    let { connections } = connection.state;
    // The broker keeps nothing for a learner that is gone: what robots had on their way is lost with the connection.
    connection.onChange(() => {
      if (!connection.isSubscribed || connection.state.connections === connections) return;
      connections = connection.state.connections;
      for (const gateway of this.#gateways.values()) gateway.announce(true);
    });
  }

  /** Makes a gateway for each robot. */
  #join(places: StreamPlaces): void {
    const { spec, link } = this.#options;
    const { fleet, robots, policy_key } = link.file;
    const signer = new PolicySigner(fleet, link.text(policy_key));
    const local = new LocalRecords(this.#broker.connect());
    const pace = paceOf(robots.length);
    const shape = rowShape(spec);
    for (const robot of robots) {
      const transport = new MqttTransport(this.#connection, robot);
      const start = places.of(robot);
      const gateway = new LearnerGateway(this.#context(`gateway ${robot}`), {
        robot,
        link: transport,
        signer,
        local,
        gate: this.#gate,
        pace,
        ...(start && { start }),
        sendsWhenAsked: true,
        admits: (transition, place) => this.#fleet.admits(robot, transition, place),
        learn: (transition) => this.#learner.take(transition),
        onTransition: (transition, place) => places.note(robot, transition, place),
        ...(shape && {
          rows: {
            shape,
            take: (slice, epoch, refused) =>
              takeSlice({ ...slice, robot }, epoch, { fleet: this.#fleet, places, learner: this.#learner, refused }),
          },
        }),
      });
      this.#links.push(transport);
      this.#gateways.set(robot, gateway);
    }
  }

  /**
   * Throws what the files of the link, the run or the demonstrations are refused with, and CANCELLED once the signal is
   * given. A run that was not there before is not there afterwards, either.
   */
  static async start(options: ServeOptions): Promise<LearnerHost> {
    const { link, run, logger, signal } = options;
    const log = logger('link');
    for (const warning of link.warnings(Date.now())) log.warn(warning);
    const mqtt = link.mqtt({ hasManyTopics: true, onError: (error) => logLinkError(log, error) });
    throwIfCancelled(signal);
    const outermost = makeFolder(run);
    const lock = lockFolder(run);
    let client: TrainingProcess | undefined;
    let connection: MqttConnection | undefined;
    try {
      const demonstrations = await demonstrationsOf(options);
      client = await startLearning(options, demonstrations);
      connection = await openMqtt(mqtt);
      throwIfCancelled(signal);
      return new LearnerHost(options, client, connection, lock, demonstrations);
    } catch (error) {
      await connection?.end();
      await client?.stop(false);
      forgetDemonstrations(run);
      lock.release();
      if (outermost !== undefined) removeEmptyFolders(run, outermost);
      throw error;
    }
  }

  get learner(): LearnerNode {
    return this.#learner;
  }

  /** What is known of each robot beside its link. */
  get fleet(): readonly FleetRobot[] {
    return this.#fleet.robots;
  }

  get robots(): readonly RobotView[] {
    return [...this.#gateways.values()].map(({ view }) => view);
  }

  problem(): string {
    if (this.#learner.fault !== undefined) return this.#learner.fault.message;
    return this.#connection.state.connected ? '' : `no connection to the broker: ${this.#connection.state.reason}`;
  }

  gauges(): readonly Gauge[] {
    const { version, updates, transitions, demonstrations, metrics } = this.#learner.progress;
    const own: Gauge[] = [
      { name: 'iq_learn_policy_version', help: 'Version of the newest policy.', value: version },
      { name: 'iq_learn_updates', help: 'Gradient updates made.', value: updates },
      {
        name: 'iq_learn_updates_skipped',
        help: 'Updates that transitions paid for and that the learner could not make.',
        value: metrics['train/updates_skipped'] ?? 0,
      },
      { name: 'iq_learn_transitions', help: 'Transitions learned from.', value: transitions },
      { name: 'iq_learn_demonstrations', help: 'Expert transitions to learn from.', value: demonstrations },
      { name: 'iq_learn_backlog', help: 'Transitions that wait for the learner.', value: this.#gate.backlog },
      { name: 'iq_learn_behind', help: 'Whether robots keep theirs meanwhile.', value: this.#gate.isClosed ? 1 : 0 },
      {
        name: 'iq_learn_link_connected',
        help: 'Whether there is a connection to the broker.',
        value: this.#connection.state.connected ? 1 : 0,
      },
    ];
    const views = this.robots;
    const each = (name: string, help: string, value: (view: RobotView) => number): void => {
      for (const view of views) own.push({ name, help, labels: { robot: view.robot }, value: value(view) });
    };
    each('iq_learn_robot_online', 'Whether the robot is there.', ({ presence }) => (presence === 'ONLINE' ? 1 : 0));
    each('iq_learn_robot_seen_seconds', 'Time of the last message, Unix time.', ({ seenMs }) => seenMs / 1000);
    each('iq_learn_robot_records', 'Records taken from the robot.', ({ records }) => records);
    each('iq_learn_robot_repeated', 'Records that came again.', ({ repeated }) => repeated);
    each('iq_learn_robot_refused', 'Records that were refused.', ({ refused }) => refused);
    each('iq_learn_robot_waiting', "Records in the robot's spool.", ({ gateway }) =>
      Number(gateway?.waiting ?? Number.NaN),
    );
    each('iq_learn_robot_recordings_waiting', 'Recordings that the robot has not sent yet.', ({ gateway }) =>
      Number(gateway?.recordings_waiting ?? Number.NaN),
    );
    each('iq_learn_robot_policy_version', 'Policy that the robot has.', ({ gateway }) =>
      Number(gateway?.policy_version ?? -1),
    );
    return [...own, ...fleetGauges(this.#fleet)];
  }

  /** With each checkpoint, not with each policy: a fleet has several of these a second, and a disk takes its time. */
  async #writePolicy(): Promise<void> {
    try {
      writeBundle(join(this.#options.run, 'policy'), await this.#client.deployed());
    } catch (error) {
      // A learner that ends answers no more; what it had learned is written then.
      if (this.#learner.state === 'active') this.#options.logger('link').warn(messageOf(error));
    }
  }

  /** Writes a checkpoint, and ends everything. */
  async close(): Promise<void> {
    this.#fleet.close();
    this.#recordings.close();
    for (const gateway of this.#gateways.values()) await gateway.shutdown();
    await this.#learner.shutdown();
    await Promise.all(this.#links.map((link) => link.close()));
    await this.#connection.end();
    await this.#broker.close();
    const { deployed, progress } = this.#learner;
    const learned = deployed !== undefined && progress.version > this.#client.start.version;
    if (learned) writeBundle(join(this.#options.run, 'policy'), deployed);
    this.#lock.release();
  }

  #takeRecordings(places: StreamPlaces): ArrivedRecordings {
    const { spec, run, link, logger } = this.#options;
    return new ArrivedRecordings({
      spec,
      robots: new Map(link.file.robots.map((robot, i) => [robot, this.#links[i]!])),
      folder: join(run, 'recordings'),
      limits: link.file.recordings,
      logger: logger('recordings'),
      aside: (robot) => this.#fleet.robots.find((each) => each.robot === robot)?.aside ?? '',
      holds: (id) => places.holds(id),
      demonstrate: (id, demonstrations) => {
        places.noteRecording(id);
        this.#learner.demonstrate(demonstrations);
      },
    });
  }

  #context(node: string): NodeContext {
    const { spec, logger } = this.#options;
    return { transport: this.#broker.connect(), spec, clock: steadyClock, logger: logger(node), label: node };
  }
}
