import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random, vectorObservation } from '#src/common/index.js';
import { checkCapturable } from '#src/engine/executors/onnx-cuda/capture.js';
import { type ArrayRecord, compile, inspectModel } from '#src/engine/index.js';
import { lowerProgram } from '#src/engine/lowering.js';
import {
  agentNames,
  createAgent,
  identityNormalisation,
  Learner,
  type LearnerSettings,
  learnerConfig,
} from '#src/learning/index.js';

// Takes the CPU for the GPU: the same code but for the capture.
const before = process.env.IQ_LEARN_CUDA;
beforeAll(() => {
  process.env.IQ_LEARN_CUDA = 'cpu';
});
afterAll(() => {
  if (before === undefined) delete process.env.IQ_LEARN_CUDA;
  else process.env.IQ_LEARN_CUDA = before;
});

const small = { hiddenSizes: [16, 16], batchSize: 8 };
const spaces = { observation: 3, action: 2 };

/** Every agent, and the settings that give its program another form. */
const programs: readonly (readonly [string, LearnerSettings])[] = [
  ...agentNames.map((agent) => [agent, { agent, ...small }] as const),
  ['iq-sac with one critic', { agent: 'iq-sac', ...small, critics: 1 }],
  ['iq-sac with two critics', { agent: 'iq-sac', ...small, critics: 2 }],
  ['iq-sac with v0', { agent: 'iq-sac', ...small, critics: 2, valueTerm: 'v0' }],
  ['iq-sac without a target network', { agent: 'iq-sac', ...small, critics: 2, targetNetwork: false }],
  ['iq-sac with a learned temperature', { agent: 'iq-sac', ...small, learnTemperature: true, actorAveraging: 0.01 }],
  ['sac with one critic', { agent: 'sac', ...small, critics: 1 }],
];

const largest = (a: ArrayRecord, b: ArrayRecord): number =>
  Math.max(...Object.entries(a).flatMap(([name, values]) => Array.from(values, (x, i) => Math.abs(x - b[name]![i]!))));

describe.each(programs)('the program of %s, lowered for a GPU', (name, settings) => {
  const agent = createAgent(learnerConfig(settings), spaces);
  const lowered = lowerProgram(agent.program, { steps: 1, shapes: 'static' });

  it('has no node whose shape depends on data, and fewer nodes than for the CPU', () => {
    expect(() => checkCapturable(lowered.model)).not.toThrow();
    const summary = inspectModel(lowered.model);
    for (const product of summary.products) expect(product.rows, product.name).toEqual(expect.any(Number));
    const onCpu = inspectModel(lowerProgram(agent.program, { steps: 1, shapes: 'dynamic' }).model);
    console.log(`${name}: ${onCpu.nodes.length} nodes for the CPU, ${summary.nodes.length} for a GPU`);
    expect(summary.nodes.length).toBeLessThanOrEqual(onCpu.nodes.length);
  });

  it('computes what the CPU computes, to rounding', async () => {
    const random = new Random(7);
    const initialState = agent.initialState(new Random(1));
    const [gpu, cpu] = [
      await compile(agent.program, { device: 'cuda', initialState }),
      await compile(agent.program, { device: 'cpu', initialState, threads: 1 }),
    ];
    for (let t = 0; t < 5; t++) {
      const inputs = Object.fromEntries(
        Object.entries(cpu.inputs).map(([input, { shape }]) => {
          const values = random.fillNormal(new Float32Array(shape.reduce((product, n) => product * n, 1)));
          if (input.endsWith('Adam')) return [input, Float32Array.of(1e-3, 1e-8)];
          if (/actions/i.test(input)) return [input, values.map((x) => 0.9 * Math.tanh(x))];
          return [input, input === 'continues' ? values.map((x) => Number(x < 2)) : values];
        }),
      );
      expect(largest(await gpu.run(inputs), await cpu.run(inputs))).toBeLessThan(1e-4);
      expect(largest(gpu.readState(), cpu.readState())).toBeLessThan(1e-5);
    }
    await gpu.dispose();
    await cpu.dispose();
  });
});

it('a learner on cuda draws the same batches as on the CPU, however many updates it makes at once', async () => {
  const learners = await Promise.all(
    (['cuda', 'cpu'] as const).map((device) =>
      Learner.create({
        config: learnerConfig({ agent: 'iq-sac', ...small, observationNoise: 0.1, decayUpdates: 100 }),
        observation: vectorObservation(3),
        actionSize: 2,
        normalisation: identityNormalisation(3),
        seed: 3,
        device,
        threads: 1,
      }),
    ),
  );
  const metrics: Readonly<Record<string, number>>[] = [];
  for (const learner of learners) {
    const random = new Random(4);
    const normal = (size: number): Float32Array => random.fillNormal(new Float32Array(size));
    learner.addDemonstration({
      length: 30,
      observations: normal(31 * 3),
      actions: normal(30 * 2).map(Math.tanh),
      terminated: false,
    });
    for (let i = 0; i < 50; i++)
      learner.addTransition({
        observation: normal(3),
        action: normal(2).map(Math.tanh),
        nextObservation: normal(3),
        terminated: false,
      });
    await learner.update(1);
    metrics.push(await learner.update(20)); // more than are fetched at once
    await learner.update(2);
    expect(learner.updates).toBe(23);
  }
  for (const [name, value] of Object.entries(metrics[0]!)) expect(value, name).toBeCloseTo(metrics[1]![name]!, 4);
  expect(largest(learners[0]!.parameters(), learners[1]!.parameters())).toBeLessThan(1e-4);
  for (const learner of learners) await learner.dispose();
});
