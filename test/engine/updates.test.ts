import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { type ArrayRecord, compile, type Executable, type Program } from '#src/engine/index.js';
import { largestDifference, stack } from './fixtures/compare.js';
import { sacInputs, sacState, sacUpdate } from './fixtures/sac-update.js';
import { softQInputs, softQState, softQUpdate } from './fixtures/soft-q-update.js';

const sizes = { observation: 5, action: 2, hidden: 24, critics: 2, batch: 8 };

interface Update {
  readonly name: string;
  readonly program: Program;
  state(seed: number): ArrayRecord;
  inputs(random: Random, t: number): ArrayRecord;
}
const updates: readonly Update[] = [
  {
    name: 'SAC',
    program: sacUpdate(sizes),
    state: (seed) => sacState(sizes, seed),
    inputs: (random, t) => sacInputs(sizes, random, t),
  },
  { name: 'soft Q', program: softQUpdate, state: softQState, inputs: softQInputs },
];

const onnx = (
  { program, state }: Update,
  options: { unroll?: number; threads?: number; spinning?: boolean } = {},
): Promise<Executable> => compile(program, { device: 'cpu', initialState: state(1), threads: 1, ...options });
// The wasm backend is always there; scripts/setup-tensorflow.sh makes a folder for the other.
const eagerDevice = process.env.IQ_LEARN_TENSORFLOW ? 'tensorflow' : 'wasm';
const eager = ({ program, state }: Update): Promise<Executable> =>
  compile(program, { device: eagerDevice, initialState: state(1) });

describe.each(updates.map((update) => [update.name, update] as const))('a whole %s update', (_, update) => {
  it('agrees with eager step by step from the same state', async () => {
    const [traced, reference] = [await onnx(update), await eager(update)];
    const random = new Random(2);
    for (let t = 1; t <= 10; t++) {
      traced.writeState(reference.readState());
      const inputs = update.inputs(random, t);
      const before = reference.readState();
      expect(largestDifference(await traced.run(inputs), await reference.run(inputs))).toBeLessThan(1e-5);
      expect(largestDifference(traced.readState(), reference.readState())).toBeLessThan(1e-5);
      expect(largestDifference(before, reference.readState())).toBeGreaterThan(1e-5);
    }
    await traced.dispose();
    await reference.dispose();
  });

  it('agrees with eager over 20 free steps', async () => {
    const [traced, reference] = [await onnx(update), await eager(update)];
    const random = new Random(3);
    for (let t = 1; t <= 20; t++) {
      const inputs = update.inputs(random, t);
      expect(largestDifference(await traced.run(inputs), await reference.run(inputs))).toBeLessThan(1e-3);
    }
    expect(largestDifference(traced.readState(), reference.readState())).toBeLessThan(1e-3);
    await traced.dispose();
    await reference.dispose();
  });

  it('unrolled four times equals four single runs, on both executors', async () => {
    const random = new Random(4);
    const inputs = [1, 2, 3, 4].map((t) => update.inputs(random, t));
    const single = await onnx(update);
    const unrolled = await onnx(update, { unroll: 4 });
    const reference = await compile(update.program, {
      device: eagerDevice,
      initialState: update.state(1),
      unroll: 4,
    });
    const outputs: ArrayRecord[] = [];
    for (const each of inputs) outputs.push(await single.run(each));
    const wanted = stack(outputs);
    expect(largestDifference(await unrolled.run(stack(inputs)), wanted)).toBeLessThan(1e-6);
    expect(largestDifference(unrolled.readState(), single.readState())).toBeLessThan(1e-6);
    expect(largestDifference(await reference.run(stack(inputs)), wanted)).toBeLessThan(1e-5);
    for (const [name, { shape }] of Object.entries(single.outputs))
      for (const many of [unrolled, reference]) expect(many.outputs[name]!.shape).toEqual([4, ...shape]);
    for (const executable of [single, unrolled, reference]) await executable.dispose();
  });

  it('gives the same bits every time, with one thread or two, spinning or not', async () => {
    const settings = [
      { threads: 1, spinning: false },
      { threads: 1, spinning: false },
      { threads: 2, spinning: false },
      { threads: 2, spinning: true },
    ];
    const states: ArrayRecord[] = [];
    for (const setting of settings) {
      const executable = await onnx(update, setting);
      const random = new Random(5);
      for (let t = 1; t <= 5; t++) await executable.run(update.inputs(random, t));
      states.push(executable.readState());
      await executable.dispose();
    }
    for (const state of states.slice(1)) expect(state).toEqual(states[0]);
  });

  it('reads back the state that was written, as a copy', async () => {
    for (const executable of [await onnx(update), await eager(update)]) {
      const written = update.state(7);
      executable.writeState(written);
      const read = executable.readState();
      expect(read).toEqual(written);
      const [first] = Object.values(read);
      first!.fill(0);
      expect(executable.readState()).toEqual(written);
      await executable.dispose();
    }
  });
});

it('a full-size update gives the same bits with one thread and with two', async () => {
  const full = { observation: 11, action: 3, hidden: 256, critics: 2, batch: 256 };
  const program = sacUpdate(full);
  const states: ArrayRecord[] = [];
  for (const threads of [1, 2]) {
    const executable = await compile(program, {
      device: 'cpu',
      initialState: sacState(full, 1),
      threads,
      spinning: false,
    });
    const random = new Random(6);
    for (let t = 1; t <= 5; t++) await executable.run(sacInputs(full, random, t));
    states.push(executable.readState());
    await executable.dispose();
  }
  for (const name of Object.keys(states[0]!))
    expect(Buffer.from(states[1]![name]!.buffer).equals(Buffer.from(states[0]![name]!.buffer)), name).toBe(true);
});
