import type { z } from 'zod';
import { IqLearnError, messageOf } from '../../common/index.js';
import type { PolicyStatus } from '../../messages/index.js';
import { qos } from '../../transport/index.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { services, topics } from '../kit/topics.js';
import { Buttons, type Request, requests } from './buttons.js';
import {
  type EndedEpisode,
  type EpisodeCounts,
  EpisodeMachine,
  keptOf,
  noEpisodes,
  notRunning,
  type Verdict,
} from './episode-machine.js';
import { EpisodePublisher } from './episode-publisher.js';
import { supervisorSchema } from './parameters.js';

export type SupervisorParameters = z.input<typeof supervisorSchema>;

/** What else is done at the beginning and the end of an episode, such as giving the robot another policy. */
export interface EpisodeHooks {
  /** Runs before an episode begins; an error refuses it. What it returns is shown to the person. */
  readonly begin?: () => Promise<string>;
  /** An episode has ended and is kept. `interventions`: how often a person took over from the policy. */
  readonly ended?: (episode: EndedEpisode, interventions: number) => void;
  /** The episode that ran, or the last one that was kept, is thrown away. */
  readonly discarded?: (number: number, wasRunning: boolean) => void;
}

const CALL_MS = 10_000;
/** Between episodes the task's state is told this often, so that a policy node hears that the supervisor is there. */
const QUIET_MS = 250;
const FAREWELL_MS = 200;

/**
 * Stands in for a simulator on a real robot: a person (keys, joystick, services, a topic) starts episodes and says how
 * they ended, and the supervisor tells everybody. On `/episode_events` it says when an episode begins, ends or is thrown
 * away; on `/task_state`, at the robot's rate, whether one is under way. It commands nothing.
 */
export class SupervisorNode extends LifecycleNode<typeof supervisorSchema> {
  readonly #hooks: EpisodeHooks;
  readonly #before: EpisodeCounts;
  #machine!: EpisodeMachine;
  #publisher!: EpisodePublisher;
  #toldNs = 0n;
  #starting = false;
  #robot: Pick<PolicyStatus, 'state' | 'reason'> | undefined;
  #interventions = 0;
  /** What the person was told last. */
  #said = '';
  #onDone: () => void = () => {};
  /** Resolves when all episodes are there and the person has agreed to that by another start. */
  readonly done = new Promise<void>((resolve) => {
    this.#onDone = resolve;
  });

  /** `before`: what an earlier part of the session has brought. */
  constructor(
    context: NodeContext,
    parameters: SupervisorParameters,
    hooks: EpisodeHooks = {},
    before: EpisodeCounts = noEpisodes,
  ) {
    super('supervisor', context, supervisorSchema, parameters);
    this.#hooks = hooks;
    this.#before = before;
  }

  get counts(): EpisodeCounts {
    return this.#machine?.counts ?? this.#before;
  }

  protected override onConfigure(): void {
    const { transport, spec } = this.context;
    const { episodes, episodeS, resetS, timeUp, terminalSuccess, terminalFailure } = this.parameters;
    const ns = (seconds: number): bigint => BigInt(Math.round(seconds * 1e9));
    const terminal = { success: terminalSuccess, failure: terminalFailure };
    const rules = { episodes, episodeNs: ns(episodeS), resetNs: ns(resetS), timeUp, terminal };
    this.#machine = new EpisodeMachine(rules, this.#before);
    this.#publisher = this.own(new EpisodePublisher(transport, this.#machine.number, () => this.stampNow()));
    for (const request of requests) this.serveTrigger(request, () => this.#answer(request));
    this.#subscribe();
    if (spec.task !== null)
      this.context.logger.info(`${spec.robot} has a task in the simulator, which says itself when an episode ends`);
  }

  #subscribe(): void {
    const { transport } = this.context;
    const { buttons, joyTopic, successTopic, failureTopic } = this.parameters;
    const pressed = new Buttons(buttons);
    this.own(
      transport.subscribe(
        joyTopic,
        'sensor_msgs/msg/Joy',
        (joy) => {
          for (const request of pressed.take(joy)) this.#ask(request);
        },
        qos.sensor,
      ),
    );
    const judges = [
      ['success', successTopic],
      ['failure', failureTopic],
    ] as const;
    for (const [verdict, topic] of judges)
      if (topic !== '')
        this.own(
          transport.subscribe(topic, 'std_msgs/msg/Bool', ({ data }) => {
            if (data && this.#machine.phase === 'running') this.#end(verdict, `${topic} says so`);
          }),
        );
    this.own(
      transport.subscribe(
        topics.policyStatus,
        'iq_learn/msg/PolicyStatus',
        (status) => this.#watchRobot(status),
        qos.event,
      ),
    );
    this.own(
      transport.subscribe(
        topics.interventions,
        'iq_learn/msg/Intervention',
        ({ active }) => {
          if (active) this.#interventions++;
        },
        qos.event,
      ),
    );
  }

  protected override onActivate(): void {
    this.#say(this.#counted('ready'));
    this.#tell();
    this.every(1000 / this.context.spec.rateHz, () => this.#tick());
  }

  /** An episode that is cut short by the end of the program is kept as one without a verdict. */
  protected override onDeactivate(): void {
    if (this.#machine.phase === 'running') this.#end('unknown', 'the supervisor is stopped');
  }

  protected diagnose(): Diagnosis {
    const nowNs = this.context.clock.nowNs();
    const { phase, number, counts } = this.#machine;
    const left = this.#machine.secondsLeft(nowNs);
    const { success, failure } = counts;
    return {
      level: diagnosticLevel.ok,
      message: this.#said,
      values: {
        phase,
        episode: number,
        seconds: this.#machine.seconds(nowNs).toFixed(1),
        ...(left === undefined ? {} : { seconds_left: left.toFixed(1) }),
        kept: keptOf(counts),
        wanted: this.parameters.episodes,
        ...counts,
        success_rate: success + failure === 0 ? '' : (success / (success + failure)).toFixed(3),
        robot: this.#robot?.state ?? '',
        robot_reason: this.#robot?.reason ?? '',
      },
    };
  }

  #tick(): void {
    const nowNs = this.context.clock.nowNs();
    const due = this.#machine.due(nowNs);
    if (due === 'end') this.#end(this.#machine.timeUp, `the time of ${this.parameters.episodeS} s is up`);
    else if (due === 'start' && !this.#starting) this.#ask('start');
    if (this.#machine.phase === 'running') this.#publisher.step();
    else if (nowNs - this.#toldNs < BigInt(QUIET_MS * 1e6)) return;
    this.#tell();
  }

  /** A stop that is latched ends the episode: whatever it was to become, the robot does not go on. */
  #watchRobot({ robot, state, reason }: PolicyStatus): void {
    if (robot !== this.context.spec.robot) return;
    this.#robot = { state, reason };
    if (this.#machine.phase === 'running' && isStopped(state))
      this.#end(this.#machine.timeUp, `the robot was stopped: ${state}: ${reason}`);
  }

  /** A request by a button or by time, which nobody waits for the answer to. */
  #ask(request: Request): void {
    void this.#answer(request).catch((error) => {
      this.#machine.wait();
      this.#say(messageOf(error), 'warn');
    });
  }

  async #answer(request: Request): Promise<string> {
    if (this.state !== 'active') throw new IqLearnError('CONFLICT', `the supervisor is ${this.state}`);
    if (request === 'start') return await this.#start();
    if (request === 'discard') return this.#discard();
    if (this.#machine.phase !== 'running') throw notRunning();
    return this.#end(request === 'stop' ? 'unknown' : request, 'the person says so');
  }

  /** Begins an episode once the recorder and whoever prepares it have agreed. */
  async #start(): Promise<string> {
    if (this.#machine.phase === 'done') {
      // After the answer, which the end of the program would cut off.
      setTimeout(this.#onDone, FAREWELL_MS).unref();
      return this.#say(this.#counted('the session is finished'));
    }
    this.#expectReady();
    this.#starting = true;
    let shown = '';
    try {
      shown = (await this.#hooks.begin?.()) ?? '';
      if (this.parameters.recorder) await this.#armRecorder();
      this.#starting = false;
      this.#expectReady();
    } finally {
      this.#starting = false;
    }
    const episode = this.#machine.start(this.context.clock.nowNs());
    this.#interventions = 0;
    this.#publisher.began(episode);
    return this.#say(this.#counted(`episode ${episode} is running${shown === '' ? '' : `: ${shown}`}`));
  }

  #expectReady(): void {
    if (this.#starting) throw new IqLearnError('CONFLICT', 'an episode is being started');
    const { refusal } = this.#machine;
    if (refusal !== undefined) throw new IqLearnError('CONFLICT', refusal);
    if (this.#robot !== undefined && isStopped(this.#robot.state))
      throw new IqLearnError('CONFLICT', `the robot is stopped: ${this.#robot.state}: ${this.#robot.reason}`, {
        remedy: 'release the e-stop, then call /policy/reset_fault',
      });
  }

  async #armRecorder(): Promise<void> {
    const { success, message } = await this.context.transport.call(
      services.startRecording,
      'iq_learn/srv/StartEpisode',
      { seed: -1n },
      { timeoutMs: CALL_MS },
    );
    if (!success) throw new IqLearnError('CONFLICT', 'the recorder refuses', { found: message });
  }

  #end(verdict: Verdict, reason: string): string {
    const episode = this.#machine.end(verdict, reason, this.context.clock.nowNs());
    this.#publisher.ended(episode);
    this.#hooks.ended?.(episode, this.#interventions);
    const how = verdict === 'unknown' ? 'has ended' : `is a ${verdict}`;
    return this.#conclude(`episode ${episode.number} ${how} after ${episode.seconds.toFixed(1)} s (${reason})`);
  }

  #discard(): string {
    const { number, wasRunning } = this.#machine.discard(this.context.clock.nowNs());
    this.#publisher.discarded(number);
    this.#hooks.discarded?.(number, wasRunning);
    return this.#conclude(`episode ${number} is thrown away, to be done again`);
  }

  #conclude(text: string): string {
    const isDone = this.#machine.phase === 'done';
    return this.#say(
      `${this.#counted(text)}${isDone ? ': start again to finish, discard to repeat the last one' : ''}`,
    );
  }

  #counted(text: string): string {
    const { episodes } = this.parameters;
    const kept = keptOf(this.#machine.counts);
    return `${text}; ${kept}${episodes > 0 ? ` of ${episodes}` : ''} kept`;
  }

  #say(text: string, level: 'info' | 'warn' = 'info'): string {
    this.#said = text;
    this.context.logger[level](text);
    return text;
  }

  #tell(): void {
    this.#toldNs = this.context.clock.nowNs();
    this.#publisher.tell();
  }
}

const isStopped = (state: string): boolean => state === 'ESTOP' || state === 'FAULT';
