import { IqLearnError, mean, wallClockNs } from '../../common/index.js';
import type { Episode } from '../../learning/index.js';
import { FLEET_SERVICE, linkTopics, type StreamPlace } from '../../link/index.js';
import {
  header,
  type MessageTypes,
  type PolicyBundleMessage,
  type ServiceTypes,
  type Transition,
  type TransitionRows,
} from '../../messages/index.js';
import { topics } from '../../nodes/index.js';
import { observationOf } from '../../robot/index.js';
import {
  DataCheck,
  dataReference,
  type FleetEpisode,
  FleetEpisodes,
  PolicyRollout,
  type RolloutState,
} from '../../sessions/index.js';
import { notCompared, OccupancyDistance } from '../../training/index.js';
import { type Publisher, qos, type Transport } from '../../transport/index.js';
import { recordingFields } from './arrived-recordings.js';
import type { FleetParts } from './fleet-parts.js';
import { type AcceptedPolicy, FleetState } from './fleet-state.js';
import { backlogFields } from './learner-backlog.js';

const PERIOD_MS = 1000;
/** Episodes of each robot that its distance and its mean return are of. */
const RECENT = 5;

export type { FleetParts };
export type FleetRobot = MessageTypes['iq_learn_link/msg/FleetRobot'];
type Request = ServiceTypes['iq_learn_link/srv/FleetRequest']['request'];
type Response = ServiceTypes['iq_learn_link/srv/FleetRequest']['response'];

/** What is known of one robot beside its link. */
interface Member {
  readonly check: DataCheck;
  sent: number;
  episodes: number;
  recent: Episode[];
  returns: number[];
  distance: number;
  /** Whether episodes came since the distance was measured. */
  isStale: boolean;
}

/**
 * The learner's side of a fleet: leaves out data that are wrong, brings policies to the robots in stages, says how each
 * robot does, and does what a person asks for (go back to an earlier policy, set a robot aside).
 */
export class Fleet {
  readonly #parts: FleetParts;
  readonly #members: ReadonlyMap<string, Member>;
  readonly #episodes: FleetEpisodes;
  readonly #distance: OccupancyDistance | undefined;
  readonly #rollout: PolicyRollout<AcceptedPolicy>;
  readonly #state: FleetState;
  readonly #aside: Record<string, string>;
  readonly #statuses: Publisher<MessageTypes['iq_learn_link/msg/FleetStatus']>;
  readonly #closes: (() => void)[] = [];
  /** Of the learner, and how often policies were taken back: robots take an older version only under a higher epoch. */
  #epoch = 0n;
  #backs = 0n;
  #next = 0;
  #saved = '';

  /** `own` are the learner's own topics over the link, `local` those of its process. Throws CORRUPT_DATA. */
  constructor(parts: FleetParts, own: Transport, local: Transport) {
    const { spec, robots, demonstrations, logger, folder } = parts;
    if (parts.rollout.mode === 'staged' && demonstrations.length === 0)
      throw new IqLearnError('INVALID_ARGUMENT', 'policies cannot be measured before all robots get them', {
        found: 'no demonstrations to compare with',
        expected: 'the recordings of the run',
        remedy: 'give them with --recording, or set mode: all under rollout in the file of the link',
      });
    this.#parts = parts;
    this.#state = new FleetState(folder);
    const memory = this.#state.read();
    this.#aside = { ...memory.aside };
    const reference = dataReference(spec, demonstrations);
    this.#members = new Map(robots.map((robot) => [robot, this.#member(robot, reference)]));
    for (const [robot, reason] of Object.entries(this.#aside)) this.#members.get(robot)?.check.setAside(reason);
    this.#episodes = new FleetEpisodes(spec);
    this.#distance =
      demonstrations.length === 0
        ? undefined
        : new OccupancyDistance(demonstrations, observationOf(spec), parts.statesOnly ? 0 : spec.action.length);
    const unseen = this.#distance === undefined ? null : notCompared(observationOf(spec));
    if (unseen !== null) logger.info(unseen);
    this.#rollout = new PolicyRollout<AcceptedPolicy>({
      robots,
      settings: parts.rollout,
      isFit: (robot) => parts.view(robot).presence === 'ONLINE' && this.#members.get(robot)!.check.state.aside === '',
      send: (to, policy, back) => this.#send(to, policy, back),
      measure: (episodes) => this.#distance!.together(episodes),
      say: (text) => logger.info(text),
      spacing: parts.rollout.mode === 'all' ? parts.spacing : 1,
      accepted: memory.accepted,
      held: memory.held,
    });
    this.#statuses = own.advertise(linkTopics.fleetStatus.topic, 'iq_learn_link/msg/FleetStatus', qos.sensor);
    const policies = local.subscribe(topics.policy, 'iq_learn/msg/PolicyBundle', (policy) => this.#offer(policy), {
      ...qos.latched,
      depth: 10,
    });
    const served = own.serve(FLEET_SERVICE, 'iq_learn_link/srv/FleetRequest', async (request) => this.#answer(request));
    const timer = setInterval(() => this.#tick(), PERIOD_MS);
    this.#closes.push(
      () => clearInterval(timer),
      () => policies.close(),
      () => served.close(),
    );
  }

  get rollout(): RolloutState {
    return this.#rollout.state;
  }

  get robots(): readonly FleetRobot[] {
    return [...this.#members].map(([robot, member]) => {
      const { aside, admitted, leftOut } = member.check.state;
      return {
        robot,
        aside,
        admitted: BigInt(admitted),
        left_out: BigInt(leftOut),
        policy_version: BigInt(member.sent),
        episodes: BigInt(member.episodes),
        distance: member.distance,
        mean_return: member.returns.length === 0 ? Number.NaN : mean(member.returns),
        ...recordingFields(this.#parts.recordings?.(robot)),
      };
    });
  }

  /** Whether a robot's transition may be learned from; to be asked of each, in order. */
  admits(robot: string, transition: Transition, place: StreamPlace): boolean {
    const member = this.#members.get(robot)!;
    if (!member.check.admits(transition)) {
      this.#episodes.interrupt(robot);
      this.#parts.leaveOut(robot, place);
      return false;
    }
    this.#driven(member, this.#episodes.take(robot, transition));
    return true;
  }

  /** As {@link admits}, of a transition that lies in a row; whoever asks leaves out its place. */
  admitsRow(robot: string, rows: TransitionRows, row: number): boolean {
    const member = this.#members.get(robot)!;
    if (!member.check.admitsRow(rows, row)) {
      this.#episodes.interrupt(robot);
      return false;
    }
    this.#driven(member, this.#episodes.takeRow(robot, rows, row));
    return true;
  }

  #driven(member: Member, driven: FleetEpisode | undefined): void {
    if (driven === undefined) return;
    member.episodes += 1;
    member.recent = [...member.recent, driven.episode].slice(-RECENT);
    member.isStale = true;
    if (driven.version !== null) this.#rollout.episode(driven.version, driven.episode);
    this.#save();
  }

  /** An episode's return, where the task gives rewards. */
  returned(robot: string, total: number): void {
    const member = this.#members.get(robot);
    if (member !== undefined) member.returns = [...member.returns, total].slice(-RECENT);
  }

  close(): void {
    for (const close of this.#closes) close();
  }

  #member(robot: string, reference: ReturnType<typeof dataReference>): Member {
    const { spec, logger } = this.#parts;
    const check = new DataCheck(spec, reference, (aside) => {
      if (aside === '') logger.info(`${robot} is taken in again`);
      else {
        const { trace } = this.#parts.view(robot);
        logger.warn(`${robot} is set aside: nothing is learned from it`, { reason: aside, ...(trace && { trace }) });
      }
    });
    return { check, sent: -1, episodes: 0, recent: [], returns: [], distance: Number.NaN, isStale: false };
  }

  #offer({ version, epoch, model, manifest }: PolicyBundleMessage): void {
    const first = this.#epoch === 0n;
    if (epoch > this.#epoch) this.#epoch = epoch;
    if (first) this.#rollout.begin();
    this.#rollout.offer({ version: Number(version), model, manifest });
    this.#save();
  }

  #send(robots: readonly string[], { version, model, manifest }: AcceptedPolicy, back: boolean): void {
    if (back) this.#backs += 1n;
    const policy: PolicyBundleMessage = {
      header: header(wallClockNs()),
      robot: this.#parts.spec.robot,
      epoch: this.#epoch + this.#backs,
      version: BigInt(version),
      model,
      manifest,
    };
    for (const robot of robots) {
      this.#members.get(robot)!.sent = version;
      this.#parts.send(robot, policy);
    }
  }

  #tick(): void {
    this.#rollout.look();
    this.#measure();
    const { text, accepted, tried, held, refused } = this.#rollout.state;
    this.#statuses.publish({
      sent_ns: wallClockNs(),
      rollout: text,
      policy_version: BigInt(accepted ?? -1),
      tried_version: BigInt(tried ?? -1),
      held,
      refused_policies: BigInt(refused),
      robots: [...this.robots],
      ...backlogFields(this.#parts.gate),
    });
  }

  /** The distance of one robot after the other. */
  #measure(): void {
    const members = [...this.#members.values()];
    for (let i = 0; i < members.length && this.#distance !== undefined; i++) {
      const member = members[this.#next++ % members.length]!;
      if (!member.isStale) continue;
      member.isStale = false;
      member.distance = this.#distance.together(member.recent);
      return;
    }
  }

  #answer({ verb, robot, reason }: Request): Response {
    const member = this.#members.get(robot);
    if (verb === 'rollback') {
      const version = this.#rollout.rollback();
      this.#save();
      return version === null
        ? { success: false, message: 'there is no earlier policy to go back to' }
        : { success: true, message: `all robots go back to policy ${version}; go on with: iq-learn link resume` };
    }
    if (verb === 'resume') {
      this.#rollout.resume();
      this.#save();
      return { success: true, message: this.#rollout.state.text };
    }
    if (member === undefined)
      return { success: false, message: `'${robot}' is not one of ${[...this.#members.keys()].join(', ')}` };
    if (verb === 'aside') {
      this.#aside[robot] = reason === '' ? 'a person has set it aside' : reason;
      member.check.setAside(this.#aside[robot]);
    } else if (verb === 'release') {
      delete this.#aside[robot];
      member.check.release();
    } else return { success: false, message: `'${verb}' is not one of rollback, resume, aside, release` };
    this.#save();
    const message =
      verb === 'aside' ? `nothing is learned from ${robot} until it is released` : `${robot} is taken in again`;
    return { success: true, message };
  }

  #save(): void {
    const { held } = this.#rollout.state;
    // Where every policy goes to all, the newest is the learner's own.
    const accepted = held || this.#parts.rollout.mode === 'staged' ? this.#rollout.history : [];
    const now = JSON.stringify([accepted.map(({ version }) => version), held, this.#aside]);
    if (now === this.#saved) return;
    this.#state.write({ accepted, held, aside: this.#aside });
    this.#saved = now;
  }
}
