import { z } from 'zod';
import { messageOf, type Observation } from '../../common/index.js';
import type { MessageTypeName, MessageTypes } from '../../messages/index.js';
import {
  CommandMapper,
  createObservationAssembler,
  type ObservationAssembler,
  type PartMessage,
} from '../../robot/index.js';
import { type Publisher, qos } from '../../transport/index.js';
import { type Diagnosis, diagnosticLevel, LifecycleNode, type NodeContext } from '../kit/lifecycle.js';
import { LockstepGate, type ReadyStep } from '../kit/lockstep-gate.js';
import { headerStampNs } from '../kit/stamps.js';
import { topics } from '../kit/topics.js';

export const expertSchema = z.strictObject({
  engaged: z
    .boolean()
    .default(true)
    .describe("Whether the person's hands are on the controls from the start; see `~/engage`."),
});

export type ExpertParameters = z.input<typeof expertSchema>;

/** Drives in place of a person: a scripted expert, or a policy. Observation and action are in the robot's units. */
export interface Driver {
  /** Starts an episode. */
  reset(seed: number): void;
  act(observation: Observation): ArrayLike<number> | Promise<ArrayLike<number>>;
}

/**
 * Drives the robot through its teleoperation topic exactly as a person would. It reads the state topics by the robot's
 * description, and answers each state with a command while it is engaged and an episode runs.
 */
export class ExpertNode extends LifecycleNode<typeof expertSchema> {
  readonly #driver: Driver;
  readonly #assembler: ObservationAssembler;
  readonly #gate: LockstepGate;
  #mapper!: CommandMapper;
  readonly #publishers = new Map<string, Publisher<MessageTypes[MessageTypeName]>>();
  #engaged: boolean;
  #last: { readonly stampNs: bigint; readonly messages: readonly PartMessage[] } | undefined;
  #acting = false;
  #episode = -1;
  #sent = 0;
  #failed = 0;

  constructor(context: NodeContext, driver: Driver, parameters: ExpertParameters = {}) {
    super('expert', context, expertSchema, parameters);
    this.#driver = driver;
    this.#assembler = createObservationAssembler(context.spec);
    this.#gate = new LockstepGate(this.#assembler);
    this.#engaged = this.parameters.engaged;
  }

  protected override onConfigure(): void {
    const { spec, transport } = this.context;
    this.#mapper = new CommandMapper(spec, ({ teleop }) => teleop);
    // Deeper than a command needs: a recorder that is behind gets all of them.
    for (const { teleop } of spec.commands)
      this.#publishers.set(teleop.topic, this.own(transport.advertise(teleop.topic, teleop.type, qos.event)));
    for (const { topic, type } of this.#assembler.topics)
      this.own(
        transport.subscribe(
          topic,
          type,
          (message) => {
            this.#assembler.accept(topic, message, headerStampNs(message) ?? 0n, null);
            this.#poll();
          },
          qos.sensor,
        ),
      );
    this.own(
      transport.subscribe(
        topics.taskState,
        'iq_learn/msg/TaskState',
        (task) => {
          this.#gate.takeTask(task);
          this.#poll();
        },
        qos.event,
      ),
    );
    this.own(
      transport.serve(`/${this.name}/start_episode`, 'iq_learn/srv/StartEpisode', async ({ seed }) => {
        this.#driver.reset(Number(seed < 0n ? 0n : seed & 0xffffffffn));
        return { success: true, message: '', episode: 0 };
      }),
    );
    this.own(
      transport.serve(`/${this.name}/engage`, 'std_srvs/srv/SetBool', async ({ data }) => {
        this.#engaged = data;
        this.#poll();
        return { success: true, message: data ? 'engaged' : 'released' };
      }),
    );
  }

  protected diagnose(): Diagnosis {
    const { notFinite, incomplete, duplicates, reordered, wrongFrame, contradictory, clockJumps } =
      this.#assembler.counters;
    return {
      level: this.#failed > 0 ? diagnosticLevel.warn : diagnosticLevel.ok,
      message: this.#engaged ? 'engaged' : 'released',
      values: {
        commands: this.#sent,
        failed: this.#failed,
        states_dropped: notFinite + incomplete + wrongFrame + contradictory,
        states_late: duplicates + reordered,
        clock_jumps: clockJumps,
      },
    };
  }

  #poll(): void {
    if (this.state !== 'active' || !this.#engaged || this.#acting) return;
    const step = this.#gate.next();
    if (step !== undefined) void this.#answer(step);
  }

  #publish(messages: readonly PartMessage[]): void {
    for (const { topic, message } of messages) this.#publishers.get(topic)!.publish(message);
  }

  async #answer({ stampNs, task, repeated }: ReadyStep): Promise<void> {
    if (task.terminated || task.truncated) return;
    if (repeated) {
      if (this.#last?.stampNs === stampNs) this.#publish(this.#last.messages);
      return;
    }
    if (task.episode !== this.#episode) this.#assembler.cut();
    this.#episode = task.episode;
    let assembled = this.#assembler.assemble(stampNs);
    if (!assembled.ok && assembled.reason === 'clock_jump') assembled = this.#assembler.assemble(stampNs);
    if (!assembled.ok) return;
    this.#acting = true;
    try {
      const action = await this.#driver.act(assembled.observation);
      this.#assembler.executed(action);
      const messages = this.#mapper.toMessages(action, stampNs);
      this.#last = { stampNs, messages };
      if (this.state === 'active' && this.#engaged) {
        this.#publish(messages);
        this.#sent++;
      }
    } catch (error) {
      this.#failed++;
      this.context.logger.warn('the driver gave no command', { reason: messageOf(error) });
    } finally {
      this.#acting = false;
    }
    this.#poll();
  }
}
