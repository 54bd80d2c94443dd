import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { type ArrayRecord, inspectModel, loadInference, type Program } from '#src/engine/index.js';
import { type Graph, sizeOf } from '#src/engine/ir/graph.js';
import { launchRules, optimise, rules } from '#src/engine/ir/passes.js';
import { type Rule, rewrite, withoutDeadNodes } from '#src/engine/ir/rewrite.js';
import { lowerProgram } from '#src/engine/lowering.js';
import { writeOnnx } from '#src/engine/onnx/write.js';
import { traceProgram } from '#src/engine/trace/trace.js';
import { layerNorm } from '#src/learning/networks/layer-norm.js';
import { largestDifference } from './fixtures/compare.js';
import { sacUpdate } from './fixtures/sac-update.js';
import { softQUpdate } from './fixtures/soft-q-update.js';

/** Operators in the ONNX file of a graph. */
const operators = (graph: Graph): Readonly<Record<string, number>> =>
  inspectModel(writeOnnx(graph, { portable: true })).operators;

async function run(graph: Graph, inputs: ArrayRecord): Promise<ArrayRecord> {
  const model = await loadInference(writeOnnx(graph, { portable: true }));
  try {
    return await model.run(inputs);
  } finally {
    await model.dispose();
  }
}

function draw(graph: Graph, seed: number): ArrayRecord {
  const random = new Random(seed);
  const entries = graph.inputs.map((input): [string, Float32Array | Int32Array] => {
    const name = input.origin.kind === 'input' ? input.origin.name : '';
    const length = sizeOf(input.shape);
    if (input.type === 'int32') return [name, Int32Array.from({ length }, () => random.integer(3))];
    // Positive: among them are second moments, of which the root is taken.
    return [name, Float32Array.from({ length }, () => random.uniform(0.05, 0.5))];
  });
  return Object.fromEntries(entries);
}

const programs = [sacUpdate({ observation: 5, action: 2, hidden: 16, critics: 2, batch: 8 }), softQUpdate];

describe.each(programs.map((program) => [program.name, program] as const))('passes on %s', (_, program) => {
  it('keep what the graph computes, together and each alone', async () => {
    const graph = traceProgram(program);
    const inputs = draw(graph, 1);
    const wanted = await run(graph, inputs);
    for (const target of ['cpu', 'gpu'] as const)
      expect(largestDifference(await run(optimise(graph, { target }), inputs), wanted), target).toBeLessThan(1e-5);
    const shared = rewrite(graph);
    for (const [name, rule] of Object.entries({ ...rules, ...launchRules }))
      expect(largestDifference(await run(rewrite(shared, rule), inputs), wanted), name).toBeLessThan(1e-5);
  });

  it('leave fewer nodes, and none of what they are there to remove', () => {
    const graph = traceProgram(program);
    const optimised = optimise(graph);
    expect(optimised.nodes.length).toBeLessThan(graph.nodes.length / 1.5);
    const left = new Set(optimised.nodes.map(({ op }) => op));
    for (const op of ['Identity', 'Expand']) expect(left.has(op), op).toBe(false);
  });
});

describe('a rule', () => {
  const spec = (...shape: number[]) => ({ shape, dtype: 'float32' }) as const;
  const graphOf = (inputs: Program['inputs'], f: (x: Record<string, tf.Tensor>) => tf.Tensor): Graph =>
    traceProgram({
      name: 'rule',
      state: {},
      inputs,
      step: (_, x) => ({ state: {}, outputs: { y: f(x as Record<string, tf.Tensor>) } }),
    });
  const applied = (graph: Graph, ...list: Rule[]): Graph =>
    list.reduce((g, rule) => withoutDeadNodes(rewrite(g, rule)), withoutDeadNodes(rewrite(graph)));
  const expectSame = async (before: Graph, after: Graph): Promise<void> => {
    const inputs = draw(before, 2);
    expect(largestDifference(await run(after, inputs), await run(before, inputs))).toBeLessThan(1e-6);
  };
  const ops = (graph: Graph): string[] => graph.nodes.map(({ op }) => op);

  it('computes constants', async () => {
    const graph = graphOf({ a: spec(2, 3) }, ({ a }) => {
      const c = tf.transpose(tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]));
      const [left] = tf.split(tf.sub(tf.mul(c, c), tf.tensor1d([1, 2, 3])), [2, 1], 1) as [tf.Tensor];
      return tf.mul(tf.concat([tf.exp(tf.neg(left)), tf.slice(c, [0, 1], [2, 1])], 1), a!);
    });
    const after = applied(graph, rules.foldConstants!);
    expect(ops(after)).toEqual(['Concat', 'Mul']);
    await expectSame(graph, after);
  });

  it('takes transposes into products', async () => {
    const graph = graphOf({ a: spec(4, 2), b: spec(3, 4) }, ({ a, b }) =>
      tf.matMul(tf.transpose(a!), tf.transpose(b!)),
    );
    const after = applied(graph, rules.foldTransposes!);
    expect(ops(after)).toEqual(['MatMul']);
    await expectSame(graph, after);
  });

  it('makes the gradient of a mean a small constant', async () => {
    const graph = graphOf({ a: spec(4, 8) }, ({ a }) =>
      tf.grad((x: tf.Tensor) => tf.mean(tf.mul(tf.square(x), 3)))(a!),
    );
    const after = optimise(graph);
    expect(after.nodes.every(({ op }) => op === 'Mul' || op === 'Add')).toBe(true);
    expect(after.nodes.length).toBeLessThanOrEqual(3);
    await expectSame(graph, after);
  });

  it("reads ReLU's derivative from its output", async () => {
    const graph = graphOf({ a: spec(4, 8) }, ({ a }) => tf.grad((x: tf.Tensor) => tf.square(tf.relu(x)))(a!));
    const after = applied(graph, rules.joinMoves!, rules.stepFromOutput!);
    const [step] = after.nodes.filter(({ op }) => op === 'Step');
    expect(step?.inputs[0]?.origin).toMatchObject({ kind: 'node', node: { op: 'Relu' } });
    await expectSame(graph, after);
  });

  it('makes the normalisation of rows and its gradient one operation and few passes', async () => {
    const graph = graphOf({ a: spec(2, 4, 8) }, ({ a }) =>
      tf.grad((x: tf.Tensor) => tf.sum(tf.mul(tf.square(layerNorm(x)), tf.range(0, 8))))(a!),
    );
    const after = optimise(graph);
    const { LayerNormalization, Reciprocal, Sqrt, ReduceMean } = operators(after);
    expect({ LayerNormalization, Reciprocal, Sqrt, ReduceMean }).toEqual({ LayerNormalization: 1, ReduceMean: 2 });
    await expectSame(graph, after);
    const other = graphOf({ a: spec(4, 8) }, ({ a }) => {
      const centred = tf.sub(a!, tf.mean(a!, 0, true));
      return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), 0, true), 1e-5)));
    });
    expect(operators(optimise(other)).LayerNormalization).toBeUndefined();
    await expectSame(other, optimise(other));
  });

  it('sums many rows by a product, few rows and columns as they are', async () => {
    const graph = graphOf({ a: spec(2, 64, 16), b: spec(64, 16), c: spec(4, 16) }, ({ a, b, c }) =>
      tf.concat(
        [
          tf.reshape(tf.sum(a!, 1, true), [2, 16]),
          tf.sum(b!, 0, true),
          tf.sum(c!, 0, true),
          tf.reshape(tf.sum(b!, 1), [4, 16]),
        ],
        0,
      ),
    );
    const after = optimise(graph);
    expect(ops(after).filter((op) => op === 'MatMul')).toHaveLength(2);
    expect(ops(after).filter((op) => op === 'ReduceSum')).toHaveLength(2);
    await expectSame(graph, after);
  });

  it('adds the product of two columns, either of which could be the number a row', async () => {
    const graph = graphOf({ a: spec(5000, 1), b: spec(5000, 1), c: spec(5000, 1) }, ({ a, b, c }) =>
      tf.sub(a!, tf.mul(b!, c!)),
    );
    const inputs = draw(graph, 3);
    expect(await run(optimise(graph), inputs)).toEqual(await run(graph, inputs));
  });

  it('adds a matrix times a number a row in one pass, with the same bits in both forms', async () => {
    const graph = graphOf({ a: spec(64, 80), b: spec(64, 80), c: spec(64, 1) }, ({ a, b, c }) =>
      tf.add(tf.sub(tf.mul(a!, a!), tf.mul(b!, c!)), tf.mul(c!, a!)),
    );
    const after = optimise(graph);
    expect(ops(after).toSorted()).toEqual(['GatedAdd', 'GatedAdd', 'Mul', 'Neg']);
    const inputs = draw(graph, 3);
    const model = await loadInference(writeOnnx(after, { portable: false }));
    const wanted = await run(graph, inputs);
    for (const found of [await model.run(inputs), await run(after, inputs)]) expect(found).toEqual(wanted);
    await model.dispose();
    expect(ops(optimise(graph, { target: 'gpu' }))).not.toContain('GatedAdd');
    const small = graphOf({ a: spec(8, 8), c: spec(8, 1) }, ({ a, c }) => tf.sub(a!, tf.mul(tf.exp(a!), c!)));
    expect(ops(optimise(small))).toEqual(['Exp', 'Mul', 'Sub']);
  });

  it('turns sums of padded parts into a concatenation', async () => {
    const graph = graphOf({ a: spec(5, 2) }, ({ a }) =>
      tf.grad((x: tf.Tensor) =>
        tf.add(tf.sum(tf.square(tf.slice(x, [0, 0], [2, 2]))), tf.sum(tf.mul(tf.slice(x, [2, 0], [3, 2]), 3))),
      )(a!),
    );
    expect(operators(graph).Pad).toBe(2);
    const after = optimise(graph);
    expect(operators(after).Pad).toBeUndefined();
    await expectSame(graph, after);
  });

  it('makes thin products multiplications and row products', async () => {
    const outer = graphOf({ a: spec(2, 3, 1), b: spec(2, 4, 1) }, ({ a, b }) => tf.matMul(a!, b!, false, true));
    const column = graphOf({ a: spec(2, 5, 3), b: spec(2, 5, 1) }, ({ a, b }) => tf.matMul(a!, b!, true, false));
    for (const graph of [outer, column]) await expectSame(graph, applied(graph, rules.thinProducts!));
    expect(ops(applied(outer, rules.thinProducts!))).not.toContain('MatMul');
  });

  it('adds a bias within the product only where nothing else reads the product', async () => {
    const inputs = { a: spec(4, 2), b: spec(2, 3), c: spec(3) };
    const once = graphOf(inputs, ({ a, b, c }) => tf.add(tf.matMul(a!, b!), c!));
    const twice = graphOf(inputs, ({ a, b, c }) => {
      const product = tf.matMul(a!, b!);
      return tf.mul(tf.add(product, c!), product);
    });
    expect(ops(optimise(once))).toEqual(['MatMul']);
    expect(ops(optimise(twice))).toEqual(['MatMul', 'Add', 'Mul']);
    for (const graph of [once, twice]) await expectSame(graph, optimise(graph));
  });

  describe('on the minimum over two critics', () => {
    const rows = 7;
    const inputs = { x: spec(rows, 3), w: spec(2, 3, 4), v: spec(2, 4, 1), b: spec(2, 1, 1) };
    const critics = (x: tf.Tensor, { w, v, b }: Record<string, tf.Tensor>): tf.Tensor[] =>
      tf.split(tf.add(tf.matMul(tf.relu(tf.matMul(tf.tile(tf.expandDims(x, 0), [2, 1, 1]), w!)), v!), b!), 2, 0);
    const smallest = ([p, q]: readonly tf.Tensor[]): tf.Tensor => tf.minimum(p!, q!);
    const gradient = graphOf(inputs, (given) =>
      tf.grad((x: tf.Tensor) => tf.sum(smallest(critics(x, given))))(given.x!),
    );

    it.each([
      ['as it falls', [0, 0]],
      ['the first everywhere', [-100, 100]],
      ['the second everywhere', [100, -100]],
      ['both alike', undefined],
    ])('makes products of the rows that count: %s', async (_, bias) => {
      const random = new Random(3);
      const normal = (size: number): Float32Array => random.fillNormal(new Float32Array(size));
      const [w, v] = [normal(24), normal(8)];
      if (bias === undefined) for (const weights of [w, v]) weights.copyWithin(weights.length / 2, 0);
      const given = {
        'input/x': normal(rows * 3),
        'input/w': w,
        'input/v': v,
        'input/b': Float32Array.from(bias ?? [0, 0]),
      };
      const after = optimise(gradient);
      expect(ops(after).filter((op) => op === 'RowsWhere')).not.toHaveLength(0);
      const wanted = await run(gradient, given);
      expect(Math.max(...wanted['output/y']!)).toBeGreaterThan(0);
      expect(largestDifference(await run(after, given), wanted)).toBeLessThan(1e-6);
    });

    it('leaves a sum over critics as it is, where every row counts in each', async () => {
      const both = graphOf(inputs, (given) =>
        tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.addN(critics(x, given)))))(given.x!),
      );
      const after = optimise(both);
      expect(ops(after)).not.toContain('RowsWhere');
      await expectSame(both, after);
    });
  });

  it('gives thin stacked layers their biases as a row of the weights, and takes both gradients at once', async () => {
    const inputs = { x: spec(1, 6, 3), w: spec(2, 3, 5), c: spec(2, 1, 5) };
    const layer = (x: tf.Tensor, w: tf.Tensor, c: tf.Tensor): tf.Tensor =>
      tf.add(tf.matMul(tf.tile(x, [2, 1, 1]), w), c);
    const forward = graphOf(inputs, ({ x, w, c }) => layer(x!, w!, c!));
    expect(ops(optimise(forward))).toEqual(['Concat', 'Concat', 'MatMul']);
    await expectSame(forward, optimise(forward));
    const gradients = graphOf(inputs, ({ x, w, c }) => {
      const [dw, dc] = tf.grads((w: tf.Tensor, c: tf.Tensor) => tf.sum(tf.square(layer(x!, w, c))))([w!, c!]);
      return tf.concat([dw!, dc!], 1);
    });
    const after = optimise(gradients);
    expect(ops(after).filter((op) => op === 'MatMul')).toHaveLength(2);
    expect(ops(after)).not.toContain('ReduceSum');
    await expectSame(gradients, after);
  });

  it('shares equal expressions', async () => {
    const graph = graphOf({ a: spec(4) }, ({ a }) => tf.add(tf.exp(tf.mul(a!, 2)), tf.exp(tf.mul(a!, 2))));
    expect(ops(rewrite(graph))).toEqual(['Mul', 'Exp', 'Add']);
    await expectSame(graph, rewrite(graph));
  });

  it('makes matrices of stacks of one, whose products take their bias', async () => {
    const inputs = { x: spec(6, 4), w: spec(1, 4, 5), c: spec(1, 1, 5), v: spec(1, 5, 3) };
    const forward = (x: tf.Tensor, w: tf.Tensor, c: tf.Tensor, v: tf.Tensor): tf.Tensor =>
      tf.matMul(tf.tanh(tf.add(tf.matMul(tf.expandDims(x, 0), w), c)), v);
    const graph = graphOf(inputs, ({ x, w, c, v }) => tf.reshape(forward(x!, w!, c!, v!), [6, 3]));
    const after = optimise(graph);
    expect(ops(after).toSorted()).toEqual(['MatMul', 'MatMul', 'Reshape', 'Reshape', 'Reshape', 'Tanh']);
    for (const { op, outputs } of after.nodes) expect(outputs[0]!.shape, op).toHaveLength(2);
    await expectSame(graph, after);
    const moved = graphOf({ x: spec(1, 6, 4) }, ({ x }) => {
      const [a, b] = tf.split(x!, [2, 4], 1) as [tf.Tensor, tf.Tensor];
      const means = tf.mean(layerNorm(tf.concat([b, tf.square(a)], 1)).square(), 2, true);
      return tf.concat([tf.reshape(tf.sum(x!, [0, 1]), [4]), tf.reshape(means, [6]), tf.reshape(tf.max(x!), [1])], 0);
    });
    const moves = optimise(moved);
    expect(moves.nodes.filter(({ outputs }) => outputs[0]!.shape.length > 2)).toEqual([]);
    await expectSame(moved, moves);
    const first = graphOf({ x: spec(1, 6, 4) }, ({ x }) => tf.reshape(tf.concat([x!, x!], 0), [12, 4]));
    await expectSame(first, optimise(first));
  });

  describe('that leaves fewer nodes', () => {
    const inputs = { a: spec(4, 3), b: spec(4, 3) };
    const gpu = (graph: Graph): Graph => optimise(graph, { target: 'gpu' });

    it.each<[string, (given: Record<string, tf.Tensor>) => tf.Tensor, readonly string[]]>([
      ['factors are merged', ({ a }) => tf.neg(tf.mul(tf.mul(a!, 3), 0.5)), ['Mul']],
      ['a negated sum is a difference', ({ a }) => tf.neg(tf.add(a!, 2)), ['Sub']],
      ['a common factor is taken out', ({ a, b }) => tf.add(tf.mul(a!, 0.3), tf.mul(b!, 0.3)), ['Add', 'Mul']],
      ['a value is clamped at once', ({ a }) => tf.minimum(tf.maximum(a!, 0.1), 0.3), ['Clip']],
      ['what is joined twice is joined once', ({ a, b }) => tf.concat([tf.concat([a!, b!]), a!]), ['Concat']],
      [
        'sums over parts are one sum',
        ({ a }) => {
          const [x, y] = tf.split(a!, [1, 3], 0) as [tf.Tensor, tf.Tensor];
          return tf.add(tf.sum(tf.square(x)), tf.sum(tf.square(y)));
        },
        ['Mul', 'ReduceSum'],
      ],
      [
        'parts that are joined again were never parted',
        ({ a, b }) => {
          const parts = tf.split(tf.reshape(a!, [1, 4, 3]), [1, 3], 1);
          return tf.concat1d([...parts, b!].map((part) => tf.reshape(part, [-1]) as tf.Tensor1D));
        },
        ['Reshape', 'Reshape', 'Concat'],
      ],
      [
        'the same under two shapes is computed once',
        ({ a }) => tf.concat([tf.mul(a!, 2), tf.reshape(tf.mul(tf.reshape(a!, [3, 4]), 2), [4, 3])]),
        ['Mul', 'Concat'],
      ],
    ])('%s', async (_, step, wanted) => {
      const graph = graphOf(inputs, step);
      expect(ops(gpu(graph))).toEqual(wanted);
      await expectSame(graph, gpu(graph));
    });

    it('parts that lie together in a flat state are one view', () => {
      const program: Program = {
        name: 'neighbours',
        state: { flat: spec(20) },
        inputs: { x: spec(2, 4) },
        step: ({ flat }, { x }) => {
          const [weights, biases] = tf.split(flat as tf.Tensor1D, [16, 4]) as [tf.Tensor, tf.Tensor];
          const joined = tf.concat([tf.reshape(weights, [4, 4]), tf.reshape(biases, [1, 4])], 0);
          return {
            state: { flat: flat! },
            outputs: {
              y: tf.matMul(
                tf.pad2d(
                  x as tf.Tensor2D,
                  [
                    [0, 0],
                    [0, 1],
                  ],
                  1,
                ),
                joined,
              ),
            },
          };
        },
      };
      expect(lowerProgram(program, { steps: 1, shapes: 'static' }).views).toEqual([
        { name: 'view/state/flat/0/5x4', of: 'state/flat', offset: 0, shape: [5, 4] },
      ]);
    });
  });
});
