import { z } from 'zod';
import { IqLearnError, messageOf, wallClockNs } from '../../common/index.js';
import type { RecordingSummary, RecordingWriter } from '../../demonstrations/index.js';
import {
  type EpisodeEvent,
  episodeEvent,
  type MessageTypeName,
  type MessageTypes,
  nanosecondsOf,
  type TaskState,
  type TFMessage,
} from '../../messages/index.js';
import { type TransformTopic, transformTopics } from '../../robot/index.js';
import { qos, type RequestedQos } from '../../transport/index.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { headerStampNs } from '../kit/stamps.js';
import { topics } from '../kit/topics.js';
import { subscribeTransforms } from '../kit/transforms.js';
import { Arrivals } from './arrivals.js';
import { RivalDevices } from './rival-devices.js';

export const recorderSchema = z.strictObject({
  useSimTime: z.boolean().default(true).describe('Log times: simulated time (/clock), or the time of day.'),
  checkTopics: z
    .boolean()
    .default(false)
    .describe(
      'Refuses an episode while a state topic is missing or stale; not for a robot that only speaks in episodes.',
    )
    .meta({ dynamic: true }),
});

export type RecorderParameters = z.input<typeof recorderSchema>;

/**
 * A deep queue: nothing is lost while the disk stalls for a second. Where a publisher is reliable, nothing is lost on the
 * way either.
 */
const RECORDED: RequestedQos = { ...qos.event, depth: 2000, reliability: 'best_available' };

/**
 * Records state, teleoperation, command and e-stop topics as they are, with episode markers. `~/start_episode` opens an
 * episode at the task's next first state (at the next state if there is no /task_state), `~/stop_episode` closes it with
 * the task's outcome, `~/discard_episode` removes it. A disk that fails ends the recording and leaves the robot alone.
 */
export class RecorderNode extends LifecycleNode<typeof recorderSchema> {
  readonly #writer: RecordingWriter;
  #summary: RecordingSummary | undefined;
  #clockNs = 0n;
  #stateNs = 0n;
  #armed: { readonly seed: bigint } | undefined;
  #episode = 0;
  #lastTask: TaskState | undefined;
  /** A supervisor says when episodes begin and end, and how; else the task's state does. */
  #isSupervised = false;
  /** The supervisor has begun the episode that was asked for: the next state is its first. */
  #hasBegun = false;
  #messages = 0;
  /** Writes the last message of a topic whose state is said once, where it arrived before the recorder was active. */
  readonly #said = new Map<string, () => void>();
  /** The stamp of the last message of each such topic. */
  readonly #stamps = new Map<string, bigint>();
  #refused = 0;
  readonly #arrivals: Arrivals;
  readonly #rivals: RivalDevices;

  constructor(context: NodeContext, writer: RecordingWriter, parameters: RecorderParameters = {}) {
    super('recorder', context, recorderSchema, parameters);
    this.#writer = writer;
    this.#arrivals = new Arrivals(context.clock, context.spec);
    this.#rivals = new RivalDevices(context.spec, (reason) =>
      context.logger.warn('two publishers command by turns: stop one of them', { reason }),
    );
  }

  /** Summary of the recording, once the node is shut down. */
  get summary(): RecordingSummary | undefined {
    return this.#summary;
  }

  protected override onConfigure(): void {
    const { spec, transport } = this.context;
    const hear = ({ clock }: MessageTypes['rosgraph_msgs/msg/Clock']): void => {
      const now = nanosecondsOf(clock);
      if (now > this.#clockNs) this.#clockNs = now;
    };
    this.own(transport.subscribe(topics.clock, 'rosgraph_msgs/msg/Clock', hear, qos.sensor));
    for (const { topic, type, timeoutMs } of spec.stateTopics)
      this.#record(topic, type, timeoutMs === Number.POSITIVE_INFINITY, (message) => {
        this.#arrivals.note(topic);
        const stampNs = headerStampNs(message) ?? this.#now();
        if (stampNs > this.#stateNs) this.#stateNs = stampNs;
        if (this.#armed !== undefined && (this.#lastTask === undefined || this.#hasBegun)) this.#open(this.#stateNs);
      });
    for (const { topic, type } of [...spec.commands.map(({ teleop }) => teleop), ...spec.commands])
      this.#record(topic, type, false, (message) => this.#rivals.hear(topic, message, this.#now()));
    this.#record(spec.estopTopic, 'std_msgs/msg/Bool');
    this.#recordTransforms();
    this.#record(topics.taskState, 'iq_learn/msg/TaskState', false, (task) => this.#follow(task));
    this.own(
      transport.subscribe(
        topics.episodeEvents,
        'iq_learn/msg/EpisodeEvent',
        (event) => this.#takeEvent(event),
        qos.event,
      ),
    );
    this.own(
      transport.serve(`/${this.name}/start_episode`, 'iq_learn/srv/StartEpisode', async ({ seed }) => {
        const problem = this.#problem();
        if (problem !== undefined) return { success: false, message: problem, episode: this.#episode };
        this.#end('another one is started');
        this.#armed = { seed };
        this.#hasBegun = false;
        return { success: true, message: '', episode: this.#episode + 1 };
      }),
    );
    this.serveTrigger('stop_episode', () => {
      this.#expectOpen();
      this.#armed = undefined;
      if (this.#writer.openEpisode === null) return 'the episode had not begun: nothing is kept';
      this.#end('stopped by request');
      return 'the episode is kept';
    });
    this.serveTrigger('discard_episode', () => {
      this.#expectOpen();
      this.#armed = undefined;
      if (this.#writer.openEpisode === null) return 'the episode had not begun: there is nothing to throw away';
      this.#writer.discardEpisode({ stampNs: this.#stateNs, reason: 'thrown away by request' });
      return 'the episode is thrown away';
    });
  }

  /** What was said once, before the recording began, is still true. */
  protected override onActivate(): void {
    for (const write of this.#said.values()) write();
    this.#said.clear();
  }

  protected override onDeactivate(): void {
    this.#end('the recorder is deactivated');
  }

  protected override async onShutdown(): Promise<void> {
    this.#summary = await this.#writer.close();
    if (this.#summary.partial)
      this.context.logger.error('the recording is cut short', { file: this.#summary.file, lost: this.#summary.lost });
  }

  protected diagnose(): Diagnosis {
    const { error, lost, openEpisode } = this.#writer;
    const { quiet, rates } = this.#arrivals;
    const stale = openEpisode !== null && quiet.length > 0;
    const rivals = this.#rivals.problem(this.#now());
    const doing = openEpisode === null ? 'waiting for start_episode' : 'recording';
    return {
      level:
        error !== null
          ? diagnosticLevel.error
          : stale
            ? diagnosticLevel.stale
            : rivals !== ''
              ? diagnosticLevel.warn
              : diagnosticLevel.ok,
      message: error?.message ?? (stale ? quiet.join('; ') : rivals === '' ? doing : `${doing}; ${rivals}`),
      values: { episode: this.#episode, messages: this.#messages, refused: this.#refused, lost, ...rates },
    };
  }

  #record<Name extends MessageTypeName>(
    topic: string,
    type: Name,
    isSaidOnce = false,
    also: (message: MessageTypes[Name]) => void = () => {},
  ): void {
    const qualities = [RECORDED, ...(isSaidOnce ? [qos.latched] : [])];
    for (const quality of qualities) this.#subscribe(topic, type, quality, isSaidOnce, also);
  }

  /** Transforms that poses in other frames need. What was said once, before the recording began, is still true. */
  #recordTransforms(): void {
    const { spec, transport, logger } = this.context;
    const take = (message: TFMessage, { topic, type, isStatic }: TransformTopic): void => {
      if (this.state === 'active') this.#write(topic, type, message);
      else if (isStatic) this.#said.set(`${topic} ${this.#said.size}`, () => this.#write(topic, type, message));
    };
    const missing = (reason: string) => logger.warn('transforms are not recorded', { reason });
    for (const each of subscribeTransforms(transport, transformTopics(spec), take, missing)) this.own(each);
  }

  #subscribe<Name extends MessageTypeName>(
    topic: string,
    type: Name,
    quality: RequestedQos,
    isSaidOnce: boolean,
    also: (message: MessageTypes[Name]) => void,
  ): void {
    this.own(
      this.context.transport.subscribe(
        topic,
        type,
        (message) => {
          if (isSaidOnce && this.#isKnown(topic, message as object)) return;
          if (this.state === 'active') {
            this.#write(topic, type, message);
            also(message);
          } else if (isSaidOnce) this.#said.set(topic, () => this.#write(topic, type, message));
        },
        quality,
      ),
    );
  }

  /** A publisher that keeps its last message is heard by both subscriptions. */
  #isKnown(topic: string, message: object): boolean {
    const stampNs = headerStampNs(message) ?? 0n;
    const before = this.#stamps.get(topic);
    this.#stamps.set(topic, stampNs);
    return stampNs !== 0n && stampNs === before;
  }

  #write<Name extends MessageTypeName>(topic: string, type: Name, message: MessageTypes[Name]): void {
    const now = this.#now();
    try {
      this.#writer.write(topic, type, message, now, headerStampNs(message as object) ?? now);
      this.#messages++;
    } catch (error) {
      this.#refused++;
      this.context.logger.warn('a message is not recorded', { topic, reason: messageOf(error) });
    }
  }

  #now(): bigint {
    return this.parameters.useSimTime ? this.#clockNs : wallClockNs();
  }

  /** What a supervisor says: START opens the episode that was asked for, END and DISCARD close it as it says. */
  #takeEvent({ kind, terminated, truncated, success, reason }: EpisodeEvent): void {
    if (this.state !== 'active') return;
    this.#isSupervised = true;
    const stampNs = this.#stateNs;
    const { openEpisode, endedEpisode } = this.#writer;
    if (kind === episodeEvent.START) {
      // The state before was still that of the pause.
      this.#hasBegun = true;
    } else if (kind === episodeEvent.DISCARD) {
      this.#armed = undefined;
      if (openEpisode !== null || endedEpisode !== null) this.#writer.discardEpisode({ stampNs, reason });
    } else if (openEpisode !== null) {
      const known = success === episodeEvent.UNKNOWN ? {} : { success: success === episodeEvent.SUCCESS };
      this.#writer.endEpisode({ stampNs, terminated, truncated, ...known, reason });
    }
  }

  #follow(task: TaskState): void {
    const before = this.#lastTask;
    if (this.#isSupervised) return;
    if (before !== undefined && task.episode !== before.episode && this.#writer.openEpisode !== null)
      this.#end('the robot began another one');
    this.#lastTask = task;
    if (this.#armed !== undefined && task.step === 0) this.#open(nanosecondsOf(task.header.stamp));
  }

  #open(stampNs: bigint): void {
    const { seed } = this.#armed!;
    this.#armed = undefined;
    this.#hasBegun = false;
    this.#episode++;
    this.#writer.startEpisode({ stampNs, episode: this.#episode, seed });
  }

  /** Closes an open episode with the task's outcome; else as truncated, since a person or a fault is not a terminal state. */
  #end(reason: string): void {
    if (this.#writer.openEpisode === null) return;
    const task = this.#isSupervised ? undefined : this.#lastTask;
    if (task !== undefined && (task.terminated || task.truncated)) {
      const { terminated, success } = task;
      const stampNs = nanosecondsOf(task.header.stamp);
      this.#writer.endEpisode({ stampNs, terminated, truncated: !terminated, success });
    } else this.#writer.endEpisode({ stampNs: this.#stateNs, terminated: false, truncated: true, reason });
  }

  #expectOpen(): void {
    if (this.#writer.openEpisode === null && this.#armed === undefined)
      throw new IqLearnError('INVALID_ARGUMENT', 'no episode is open', { remedy: 'start one first' });
  }

  #problem(): string | undefined {
    if (this.state !== 'active') return `the recorder is ${this.state}`;
    if (this.#writer.error !== null) return this.#writer.error.message;
    const quiet = this.parameters.checkTopics ? this.#arrivals.quiet : [];
    return quiet.length === 0 ? undefined : `no episode without state: ${quiet.join('; ')}`;
  }
}
