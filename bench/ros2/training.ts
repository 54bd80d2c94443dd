import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../src/common/index.js';
import { learnerConfig } from '../../src/learning/index.js';
import { contractOf, type RobotSpec } from '../../src/robot/index.js';
import { type Segment, TrainingProcess } from '../../src/training/index.js';

const SEGMENT = 200;
const EPISODE = 1000;
/** Segments that wait, so that learning never does. */
const AHEAD = 3;

/** The process that the learner executable starts, with the executable's default settings, kept busy for as long as it lives. */
export class Training {
  readonly #process: TrainingProcess;
  readonly #random = Random.derive(3, 'bench');
  readonly #sizes: { readonly o: number; readonly a: number };
  #updates = 0;
  #failure: Error | undefined;

  private constructor(client: TrainingProcess, sizes: { readonly o: number; readonly a: number }) {
    this.#process = client;
    this.#sizes = sizes;
    client.listen({
      progress: ({ updates }) => {
        this.#updates = updates;
        client.learn(this.#segment());
      },
      warning: () => {},
      failure: (error) => {
        this.#failure = error;
      },
    });
    for (let i = 0; i < AHEAD; i++) client.learn(this.#segment());
  }

  /** Resolves when it has begun to make updates. */
  static async start(spec: RobotSpec, threads: number): Promise<Training> {
    const sizes = { o: spec.observation.length, a: spec.action.length };
    const random = Random.derive(4, 'bench');
    const normal = (size: number): Float32Array => random.fillNormal(new Float32Array(size));
    const client = await TrainingProcess.create({
      config: learnerConfig({ agent: 'iq-sac' }),
      contract: contractOf(spec),
      seed: 1,
      demonstrations: [
        {
          length: EPISODE,
          observations: normal((EPISODE + 1) * sizes.o),
          actions: normal(EPISODE * sizes.a).map(Math.tanh),
          terminated: false,
        },
      ],
      updatesPerTransition: 1,
      device: 'cpu',
      threads,
      nice: 10,
    });
    const training = new Training(client, sizes);
    while (training.#updates === 0) {
      training.check();
      await sleep(50);
    }
    return training;
  }

  /** Updates made so far. */
  get updates(): number {
    return this.#updates;
  }

  /** Throws why it does not learn any more. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async stop(): Promise<void> {
    await this.#process.stop(false);
  }

  #segment(): Segment {
    const { o, a } = this.#sizes;
    const normal = (size: number): Float32Array => this.#random.fillNormal(new Float32Array(size));
    const actions = normal(SEGMENT * a).map(Math.tanh);
    return {
      length: SEGMENT,
      observations: normal(SEGMENT * o),
      actions,
      nextObservations: normal(SEGMENT * o),
      terminated: new Uint8Array(SEGMENT),
      demonstrated: new Uint8Array(SEGMENT),
    };
  }
}
