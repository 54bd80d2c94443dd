import { z } from 'zod';
import { IqLearnError, messageOf, Random } from '../../common/index.js';
import { header, type MessageTypes, nanosecondsOf } from '../../messages/index.js';
import type { TopicSpec } from '../../robot/index.js';
import type { GazeboRobot, GazeboRobotFactory, GazeboWorld } from '../../simulation/index.js';
import { type Publisher, qos } from '../../transport/index.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { topics } from '../kit/topics.js';
import { ReceivedCommands } from './received-commands.js';
import { seedOfStart, serveStartEpisode } from './start-episode.js';

export const gazeboTaskSchema = z.strictObject({
  seed: z.int().min(0).max(0xffffffff).default(0).describe('Of the starts that the task chooses itself.'),
  maxSteps: z.int().min(0).default(0).describe("Steps an episode; 0: the task's own."),
  quietMs: z
    .number()
    .min(1)
    .default(5000)
    .describe('Diagnostics turn to STALE where /clock stands still for so long.')
    .meta({ dynamic: true }),
});

interface PoseTopic {
  readonly spec: TopicSpec;
  readonly publisher: Publisher<MessageTypes['geometry_msgs/msg/PoseStamped']>;
}

export type GazeboTaskParameters = z.input<typeof gazeboTaskSchema>;

/**
 * Does in Gazebo what the simulator node does for MuJoCo, under the same name: serves `~/start_episode`, `~/pause` and
 * `~/resume`, and publishes /task_state and the poses that Gazebo lacks, at the robot's rate on /clock.
 */
export class GazeboTaskNode extends LifecycleNode<typeof gazeboTaskSchema> {
  readonly #world: GazeboWorld;
  readonly #createRobot: GazeboRobotFactory;
  readonly #periodNs: bigint;
  readonly #seeds: Random;
  #robot!: GazeboRobot;
  #taskTopic!: Publisher<MessageTypes['iq_learn/msg/TaskState']>;
  #poses: ReadonlyMap<string, PoseTopic> = new Map();
  #commands!: ReceivedCommands;
  #clockNs = -1n;
  #lastClockNs = 0n;
  #nextNs = 0n;
  #episode = 0;
  #step = 0;
  #running = false;
  #resetting = false;
  #refused = 0;
  #resets = 0;
  #resetsFailed = 0;

  constructor(
    context: NodeContext,
    world: GazeboWorld,
    createRobot: GazeboRobotFactory,
    parameters: GazeboTaskParameters = {},
  ) {
    super('simulator', context, gazeboTaskSchema, parameters);
    this.#world = world;
    this.#createRobot = createRobot;
    this.#periodNs = BigInt(Math.round(1e9 / context.spec.rateHz));
    this.#seeds = Random.derive(this.parameters.seed, 'simulator seeds');
  }

  protected override onConfigure(): void {
    const { spec, transport, clock } = this.context;
    const commands = new ReceivedCommands(spec);
    this.#commands = commands;
    this.#robot = this.#createRobot({
      spec,
      transport,
      world: this.#world,
      own: (closable) => this.own(closable),
      command: () => {
        if (this.state !== 'active' || !this.#running) return null;
        const action = commands.action(clock.nowNs());
        return action.some(Number.isNaN) ? null : action;
      },
    });
    for (const { topic, type } of spec.commands)
      this.own(
        transport.subscribe(
          topic,
          type,
          (message, { receivedNs }) => {
            try {
              commands.put(topic, commands.read(topic, message), receivedNs);
            } catch (error) {
              this.#refused++;
              this.context.logger.warn('a command is refused', { reason: messageOf(error) });
            }
          },
          qos.command,
        ),
      );
    const poses = new Map<string, PoseTopic>();
    for (const topic of spec.stateTopics)
      if (topic.type === 'geometry_msgs/msg/PoseStamped')
        poses.set(topic.topic.replace(/^.*\//, ''), {
          spec: topic,
          publisher: this.own(transport.advertise(topic.topic, topic.type, qos.sensor)),
        });
    const foreign = Object.keys(this.#robot.poses()).filter((name) => !poses.has(name));
    if (foreign.length > 0)
      throw new IqLearnError('MISMATCH', `the task has poses that ${spec.robot} has no topic for`, {
        found: foreign.join(', '),
        expected: `PoseStamped topics: ${[...poses.keys()].join(', ')}`,
      });
    this.#poses = poses;
    this.#taskTopic = this.own(transport.advertise(topics.taskState, 'iq_learn/msg/TaskState', qos.event));
    this.own(
      transport.subscribe(
        topics.clock,
        'rosgraph_msgs/msg/Clock',
        ({ clock: time }) => this.#tick(nanosecondsOf(time)),
        qos.sensor,
      ),
    );
    this.own(
      serveStartEpisode(
        { transport, node: this.name },
        {
          start: (seed) => this.#start(seed),
          current: () => this.#episode,
          failed: () => {
            this.#resetsFailed++;
          },
        },
      ),
    );
    this.serveTrigger('pause', async () => {
      await this.#world.pause(true);
      return 'paused';
    });
    this.serveTrigger('resume', async () => {
      await this.#world.pause(false);
      return 'running';
    });
  }

  protected override onActivate(): void {
    this.#lastClockNs = this.context.clock.nowNs();
  }

  protected override onDeactivate(): void {
    this.#running = false;
  }

  protected diagnose(): Diagnosis {
    const quietMs = Number(this.context.clock.nowNs() - this.#lastClockNs) / 1e6;
    const stale = quietMs > this.parameters.quietMs;
    return {
      level: stale ? diagnosticLevel.stale : diagnosticLevel.ok,
      message: stale
        ? `no ${topics.clock} for ${(quietMs / 1000).toFixed(1)} s: is Gazebo paused, or the bridge down?`
        : this.#running
          ? 'running'
          : 'waiting for start_episode',
      values: {
        episode: this.#episode,
        step: this.#step,
        resets: this.#resets,
        resets_failed: this.#resetsFailed,
        commands_refused: this.#refused,
      },
    };
  }

  async #start(seed: bigint): Promise<number> {
    if (this.state !== 'active' || this.#resetting)
      throw new IqLearnError('UNAVAILABLE', this.#resetting ? 'an episode is being set up' : 'the node is not active', {
        found: this.#resetting ? 'another start_episode under way' : this.state,
        expected: 'an active node, one start at a time',
      });
    const chosen = seedOfStart(seed, this.#seeds);
    this.#running = false;
    this.#resetting = true;
    try {
      await this.#robot.reset(chosen);
    } finally {
      this.#resetting = false;
    }
    this.#resets++;
    this.#episode++;
    this.#step = 0;
    this.#commands.clear();
    this.#running = true;
    this.#nextNs = this.#clockNs + this.#periodNs;
    return this.#episode;
  }

  #tick(clockNs: bigint): void {
    if (this.state !== 'active') return;
    this.#lastClockNs = this.context.clock.nowNs();
    const back = clockNs < this.#clockNs;
    this.#clockNs = clockNs;
    // The simulation began anew, so the episode is lost.
    if (back) {
      this.#running = false;
      this.#nextNs = clockNs;
    }
    if (clockNs < this.#nextNs) return;
    this.#nextNs += this.#periodNs;
    if (this.#nextNs <= clockNs) this.#nextNs = clockNs + this.#periodNs;
    this.#publish(clockNs);
  }

  /** One step. The poses are published between episodes, and before the first, too. */
  #publish(stampNs: bigint): void {
    for (const [name, pose] of Object.entries(this.#robot.poses())) {
      const { spec, publisher } = this.#poses.get(name)!;
      const [x, y, z] = pose.position;
      const [qx, qy, qz, qw] = pose.orientation;
      publisher.publish({
        header: header(stampNs, spec.frameId ?? this.context.spec.frameId),
        pose: { position: { x, y, z }, orientation: { x: qx, y: qy, z: qz, w: qw } },
      });
    }
    if (!this.#running) return;
    const success = this.#robot.judge();
    const truncated = this.#step >= (this.parameters.maxSteps || this.#robot.maxSteps);
    this.#taskTopic.publish({
      header: header(stampNs),
      episode: this.#episode,
      step: this.#step,
      reward: Number.NaN,
      terminated: false,
      truncated,
      success,
    });
    this.#step++;
    if (truncated) this.#running = false;
  }
}
