import { IqLearnError, messageOf, Random } from '../../common/index.js';
import { header, type MessageTypeName, type MessageTypes, stampOf } from '../../messages/index.js';
import { type CommandSpec, readingsToMessages, type TopicMessage } from '../../robot/index.js';
import type { SensorReadings, StepResult, TaskClient } from '../../simulation/index.js';
import { type Publisher, qos } from '../../transport/index.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { startPeriodic } from '../kit/periodic.js';
import { headerStampNs } from '../kit/stamps.js';
import { topics } from '../kit/topics.js';
import { type SimulatorParameters, simulatorSchema } from './parameters.js';
import { ReceivedCommands } from './received-commands.js';
import { seedOfStart, serveStartEpisode } from './start-episode.js';
import { actionOrder, stopAction } from './task-actions.js';

type Publishers = ReadonlyMap<string, { publish(message: TopicMessage['message']): void }>;

/**
 * Takes the place of a robot: publishes the state topics of its description, /clock and /task_state, and executes its
 * commands. `~/start_episode` resets the task; an episode that has ended waits for the next start. Simulated time runs on
 * from episode to episode and never back. Without a fresh command the robot is stopped (real time) or the simulation
 * waits (lockstep).
 */
export class SimulatorNode extends LifecycleNode<typeof simulatorSchema> {
  readonly #client: TaskClient;
  readonly #periodNs: bigint;
  readonly #seeds: Random;
  #commands!: ReceivedCommands;
  /** Element i of the task's action is element order[i] of the command. */
  #order: readonly number[] = [];
  #states: Publishers = new Map();
  #clockTopic!: Publisher<MessageTypes['rosgraph_msgs/msg/Clock']>;
  #taskTopic!: Publisher<MessageTypes['iq_learn/msg/TaskState']>;
  #loop: { close(): void } | undefined;
  /** Resets and steps run one after the other: each waits for this promise. */
  #tail: Promise<unknown> = Promise.resolve();
  #pending = 0;

  #stampNs = 0n;
  #episode = 0;
  #step = 0;
  #running = false;
  #paused = false;
  #readings: SensorReadings | undefined;
  #result: Pick<StepResult, 'reward' | 'terminated' | 'truncated' | 'success'> = FRESH;
  /** Stamp of the newest command of each topic. */
  readonly #commandStampsNs = new Map<string, bigint>();
  #lastCommandNs = 0n;
  /** Time of the last command or repetition. */
  #lastExchangeNs = 0n;

  #steps = 0;
  #ignored = 0;
  #refused = 0;
  #repeats = 0;
  #overruns = 0;
  #stops = 0;

  constructor(context: NodeContext, client: TaskClient, parameters: SimulatorParameters = {}) {
    super('simulator', context, simulatorSchema, parameters);
    this.#client = client;
    this.#periodNs = BigInt(Math.round(client.stepSeconds * 1e9));
    this.#seeds = Random.derive(this.parameters.seed, 'simulator seeds');
  }

  protected override onConfigure(): void {
    const { spec, transport } = this.context;
    this.#order = actionOrder(this.#client, this.context.spec);
    this.#commands = new ReceivedCommands(spec);
    const states = new Map<string, { publish(message: TopicMessage['message']): void }>();
    // As fast as it goes, a recorder may be behind by more than a sensor's five messages: it gets those that it missed.
    const offered = this.parameters.pace === 'lockstep' ? qos.event : qos.sensor;
    for (const { topic, type } of spec.stateTopics)
      states.set(topic, this.own(transport.advertise(topic, type, offered)) as never);
    this.#states = states;
    this.#clockTopic = this.own(transport.advertise(topics.clock, 'rosgraph_msgs/msg/Clock', qos.sensor));
    this.#taskTopic = this.own(transport.advertise(topics.taskState, 'iq_learn/msg/TaskState', qos.event));
    for (const command of spec.commands)
      this.own(
        transport.subscribe(
          command.topic,
          command.type,
          (message, { receivedNs }) => this.#take(command, message, receivedNs),
          // Late commands are recognised by their stamps. The depth keeps them from displacing the one that counts.
          { ...qos.command, depth: 10 },
        ),
      );
    const starts = { start: (seed: bigint) => this.#start(seed), current: () => this.#episode };
    this.own(serveStartEpisode({ transport, node: this.name }, starts));
    this.serveTrigger('pause', () => {
      this.#paused = true;
      return 'paused';
    });
    this.serveTrigger('resume', () => {
      this.#paused = false;
      if (this.#running && this.parameters.pace === 'lockstep') this.#publishAgain();
      return 'running';
    });
  }

  protected override onActivate(): void {
    const { clock } = this.context;
    this.#lastCommandNs = clock.nowNs();
    if (this.parameters.pace === 'realtime')
      this.#loop = startPeriodic(clock, this.#periodNs, (missed) => this.#tick(missed));
    else this.every(Math.max(1, this.parameters.repeatMs / 2), () => this.#watch());
  }

  protected override onDeactivate(): void {
    this.#loop?.close();
    this.#loop = undefined;
    this.#running = false;
  }

  protected override async onShutdown(): Promise<void> {
    await this.#client.close();
  }

  protected diagnose(): Diagnosis {
    const quietMs = Number(this.context.clock.nowNs() - this.#lastCommandNs) / 1e6;
    const stale = this.#running && !this.#paused && quietMs > this.parameters.quietMs;
    return {
      level: stale ? diagnosticLevel.stale : diagnosticLevel.ok,
      message: stale
        ? `no command for ${(quietMs / 1000).toFixed(1)} s; the robot stands still`
        : this.#paused
          ? 'paused'
          : this.#running
            ? 'running'
            : 'waiting for start_episode',
      values: {
        episode: this.#episode,
        step: this.#step,
        steps: this.#steps,
        commands_ignored: this.#ignored,
        commands_refused: this.#refused,
        states_repeated: this.#repeats,
        stops: this.#stops,
        overruns: this.#overruns,
      },
    };
  }

  async #start(seed: bigint): Promise<number> {
    if (this.state !== 'active')
      throw new IqLearnError('UNAVAILABLE', 'the simulator is not active', { found: this.state, expected: 'active' });
    const chosen = seedOfStart(seed, this.#seeds);
    return await this.#queue(async () => {
      const { readings } = await this.#client.reset(chosen);
      this.#readings = readings;
      this.#result = FRESH;
      this.#episode++;
      this.#step = 0;
      this.#stampNs += this.#periodNs;
      this.#commands.clear();
      this.#commandStampsNs.clear();
      this.#lastCommandNs = this.context.clock.nowNs();
      this.#lastExchangeNs = this.#lastCommandNs;
      this.#running = true;
      this.#publish();
      return this.#episode;
    });
  }

  #take({ topic, timeoutMs }: CommandSpec, message: MessageTypes[MessageTypeName], receivedNs: bigint): void {
    if (this.state !== 'active') return;
    let values: Float32Array;
    try {
      values = this.#commands.read(topic, message);
    } catch (error) {
      this.#refused++;
      this.context.logger.warn('a command is refused', { reason: messageOf(error) });
      return;
    }
    this.#lastCommandNs = this.context.clock.nowNs();
    this.#lastExchangeNs = this.#lastCommandNs;
    const stamp = headerStampNs(message);
    if (this.parameters.pace === 'realtime') {
      // A command with an old stamp, or one before the last command's, was delayed on its way.
      const before = this.#commandStampsNs.get(topic) ?? 0n;
      const late = stamp !== undefined && stamp > 0n && (stamp < before || this.#ageMs(stamp) > timeoutMs);
      if (late) this.#ignored++;
      else {
        this.#commands.put(topic, values, receivedNs);
        this.#commandStampsNs.set(topic, stamp ?? 0n);
      }
      return;
    }
    // A command answers one state: the one with its stamp, or the present one if it has no stamp.
    const isAnswer = stamp === undefined ? !this.#commands.isOldAnswer(topic, values) : stamp === this.#stampNs;
    if (!this.#running || this.#paused || this.#pending > 0 || !isAnswer) {
      this.#ignored++;
      return;
    }
    this.#commands.put(topic, values, receivedNs);
    if (this.#commands.isWhole) void this.#advance(this.#commands.execute());
  }

  #ageMs(stampNs: bigint): number {
    return Number(this.#stampNs - stampNs) / 1e6;
  }

  #tick(missed: number): void {
    this.#overruns += missed;
    if (!this.#running || this.#paused) return;
    if (this.#pending > 0) {
      this.#overruns++;
      return;
    }
    const now = this.context.clock.nowNs();
    const action = this.#commands.action(now);
    if (action.some(Number.isNaN)) {
      this.#stops++;
      const stop = stopAction(this.context.spec, this.#readings);
      void this.#advance(action.map((value, i) => (Number.isNaN(value) ? stop[i]! : value)));
    } else void this.#advance(action);
  }

  /** Lockstep without a command: a message may have been lost, so the state is published again. */
  #watch(): void {
    if (!this.#running || this.#paused || this.#pending > 0) return;
    const now = this.context.clock.nowNs();
    if (Number(now - this.#lastExchangeNs) / 1e6 < this.parameters.repeatMs) return;
    this.#lastExchangeNs = now;
    this.#repeats++;
    this.#publishAgain();
  }

  async #advance(action: ArrayLike<number>): Promise<void> {
    await this.#queue(async () => {
      const taskAction = Float64Array.from(this.#order, (i) => action[i]!);
      const result = await this.#client.step(taskAction);
      this.#readings = result.readings;
      this.#result = result;
      this.#step++;
      this.#steps++;
      this.#stampNs += this.#periodNs;
      if (result.terminated || result.truncated) this.#running = false;
      if (this.state === 'active') this.#publish();
    }).catch((error) => {
      if (this.state === 'active') this.fail(error);
    });
  }

  async #queue<T>(work: () => Promise<T>): Promise<T> {
    this.#pending++;
    const done = this.#tail.then(work).finally(() => {
      this.#pending--;
    });
    this.#tail = done.catch(() => undefined);
    return await done;
  }

  #publishAgain(): void {
    this.#commands.askedAgain();
    this.#publish();
  }

  #publish(): void {
    const { spec } = this.context;
    this.#clockTopic.publish({ clock: stampOf(this.#stampNs) });
    for (const { topic, message } of readingsToMessages(this.#readings!, spec, this.#stampNs))
      this.#states.get(topic)!.publish(message);
    const { reward, terminated, truncated, success } = this.#result;
    this.#taskTopic.publish({
      header: header(this.#stampNs),
      episode: this.#episode,
      step: this.#step,
      reward,
      terminated,
      truncated,
      success,
    });
  }
}

const FRESH = { reward: 0, terminated: false, truncated: false, success: false } as const;
