import {
  beforeReshape,
  type Graph,
  type GraphBuilder,
  type IrNode,
  producer,
  sameShape,
  sizeOf,
  splatOf,
  type Value,
} from './graph.js';
import { binary, matMul, reshape, slice, unary } from './operations.js';
import { rewrite } from './rewrite.js';

/** Plane k of a stack [planes, m, n], as [m, n]. */
function plane(builder: GraphBuilder, stack: Value, k: number): Value {
  const [, m, n] = stack.shape as [number, number, number];
  return reshape(builder, slice(builder, stack, [k, 0, 0], [1, m, n]), [m, n]);
}

/** The planes of x₀ + x₁ + …, where they are all the planes of one stack in turn. */
function sumOfPlanes(node: IrNode): Value | undefined {
  if (node.op !== 'Add') return undefined;
  const [first, second] = node.inputs.map((value) => producer(beforeReshape(value), 'Slice'));
  const stack = first?.inputs[0];
  if (stack === undefined || stack !== second?.inputs[0] || stack.shape.length !== 3 || stack.shape[0] !== 2)
    return undefined;
  const whole = [first, second].every((part, k) => {
    const [starts, steps] = [part!.attributes.starts as number[], part!.attributes.steps as number[]];
    return sameShape(starts, [k, 0, 0]) && steps.every((step) => step === 1);
  });
  return whole && sameShape(first!.outputs[0]!.shape, [1, ...stack.shape.slice(1)]) ? stack : undefined;
}

/** Where plane k of a column has x, and zeros elsewhere. */
interface Gate {
  readonly condition: Value;
  readonly x: number;
}

/** The gates of a column [x₀·b₀; x₁·b₁; …] of conditions b, [planes, m, 1]. */
function gatesOf(column: Value): readonly Gate[] | undefined {
  const joined = producer(column, 'Concat');
  if (joined?.attributes.axis !== 0 || column.shape.at(-1) !== 1 || column.shape.length !== 3) return undefined;
  const gates = joined.inputs.flatMap((value): Gate[] => {
    const flag = (factor: Value): Value | undefined => producer(beforeReshape(factor), 'Cast')?.inputs[0];
    const gate = beforeReshape(value);
    const factors = producer(gate, 'Mul')?.inputs ?? [gate];
    const condition = factors.map(flag).find(Boolean);
    const x = factors.length === 1 ? 1 : factors.map(splatOf).find((number) => number !== undefined);
    const fits = condition?.type === 'bool' && sizeOf(condition.shape) === column.shape[1] && value.shape[0] === 1;
    return fits && x !== undefined ? [{ condition, x }] : [];
  });
  return gates.length === column.shape[0] ? gates : undefined;
}

const nodeOf = ({ origin }: Value): IrNode | undefined => (origin.kind === 'node' ? origin.node : undefined);

/** The product that makes `value`, if it maps each row of its first operand to a row. */
function rowProduct(value: Value): IrNode | undefined {
  const product = producer(value, 'MatMul');
  return product?.inputs.length === 2 && product.attributes.transA !== true ? product : undefined;
}

/** What `value` is made of by operations that keep rows apart: leaves, and the second operands of products. */
function operandsOf(value: Value): readonly Value[] {
  const product = rowProduct(value);
  if (product !== undefined) return [...operandsOf(product.inputs[0]!), product.inputs[1]!];
  const node = nodeOf(value);
  return node?.op === 'Mul' || node?.op === 'Step' ? node.inputs.flatMap(operandsOf) : [value];
}

/**
 * With min(Q₁, Q₂), each row of a batch has a gradient for one critic only. This pass gathers the rows of each critic
 * before the matrix product and adds the results back to their places, which halves the work. How many rows a critic
 * has is known at run time only, so the pass is for the CPU: a CUDA graph needs shapes that are known beforehand.
 */
export function withLiveRows(graph: Graph): Graph {
  return rewrite(graph, (builder, _, { node, moved }) => {
    const stack = sumOfPlanes(node);
    if (stack === undefined || rowProduct(stack) === undefined) return undefined;
    const [planes, m, n] = stack.shape as [number, number, number];
    const operands = operandsOf(stack);
    const column = operands.find((value) => gatesOf(value) !== undefined);
    const whole = operands.every(({ shape }) => sizeOf(shape) === 1 || (shape.length === 3 && shape[0] === planes));
    if (m === 1 || !whole || column === undefined || column.shape[1] !== m) return undefined;

    /** `value` in plane k, in the rows that the gate lets through. */
    const live = (value: Value, k: number): Value => {
      if (value === column) return builder.scalar('float32', gatesOf(column)![k]!.x);
      if (sizeOf(value.shape) === 1) return reshape(builder, moved(value), []);
      if (value.shape[1] === 1) return plane(builder, moved(value), k);
      const [source, product] = [nodeOf(value), rowProduct(value)];
      if (product !== undefined) {
        const [a, b] = product.inputs as readonly [Value, Value];
        const transB = product.attributes.transB === true;
        return matMul(builder, live(a, k), plane(builder, moved(b), k), { transA: false, transB });
      }
      if (source?.op === 'Mul') return binary(builder, 'Mul', live(source.inputs[0]!, k), live(source.inputs[1]!, k));
      if (source?.op === 'Step') return unary(builder, 'Step', live(source.inputs[0]!, k));
      const [, , width] = value.shape as [number, number, number];
      const flat = reshape(builder, moved(value), [planes * m, width]);
      const form = { type: value.type, shape: [m, width] };
      return builder.node('Gather', [flat, rows(k, k * m)], form, { axis: 0 });
    };
    const rows = (k: number, offset: number): Value => {
      const condition = reshape(builder, moved(gatesOf(column)![k]!.condition), [m]);
      return builder.node('RowsWhere', [condition], { type: 'int32', shape: [m] }, { offset });
    };
    let sum = builder.scalar('float32', 0, [m, n]);
    for (let k = 0; k < planes; k++) {
      const part = live(stack, k);
      if (part.shape[0] !== m) return undefined; // nothing but the gate varied from row to row
      sum = builder.node('AddRows', [sum, rows(k, 0), part], { type: 'float32', shape: [m, n] });
    }
    return reshape(builder, sum, node.outputs[0]!.shape);
  });
}
