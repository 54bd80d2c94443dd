import type { GraphBuilder, IrNode, Value } from './graph.js';
import { reshape } from './operations.js';
import type { Rule } from './rewrite.js';

/** Operations that broadcast their operands to one shape, or work on each element. */
const elementwise = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Pow', 'Where', 'Clip', 'Cast', 'Relu', 'Step'],
  ...['Neg', 'Exp', 'Log', 'Sqrt', 'Tanh', 'Sigmoid', 'Softplus', 'Reciprocal', 'Abs'],
]);

/** A value without its first axes, as many as it has more than `rank`; undefined where they are longer than 1. */
function within(builder: GraphBuilder, value: Value, rank: number): Value | undefined {
  const extra = value.shape.length - rank;
  if (extra <= 0) return value;
  if (value.shape.slice(0, extra).some((n) => n !== 1)) return undefined;
  return reshape(builder, value, value.shape.slice(extra));
}

/** The attributes of a node whose operands lose `extra` first axes; undefined where the node works along one of them. */
function shifted({ op, attributes }: IrNode, extra: number): IrNode['attributes'] | undefined {
  if (elementwise.has(op) || op === 'MatMul' || op === 'LayerNormalization') return attributes;
  if (op === 'Concat' || op === 'Split') {
    const axis = Number(attributes.axis) - extra;
    return axis < 0 ? undefined : { ...attributes, axis };
  }
  if (op === 'Slice') {
    const of = (key: string): readonly number[] => (attributes[key] as readonly number[]).slice(extra);
    return { ...attributes, starts: of('starts'), steps: of('steps') };
  }
  if (!op.startsWith('Reduce')) return undefined;
  const axes = (attributes.axes as readonly number[]).map((axis) => axis - extra).filter((axis) => axis >= 0);
  return axes.length === 0 ? undefined : { ...attributes, axes };
}

/**
 * Stacks of one (one critic) as matrices: first axes of length 1 are dropped, down to two axes, so that products take
 * their bias and nothing has to be renamed between operations.
 */
export const dropUnitAxes: Rule = (builder, node) => {
  const { op, inputs, outputs } = node;
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  const extra = rank - 2;
  if (extra <= 0) return undefined;
  const attributes = shifted(node, extra);
  const values = inputs.map((value) => within(builder, value, 2));
  if (attributes === undefined || !values.every((value) => value !== undefined)) return undefined;
  const summed = op.startsWith('Reduce') && node.attributes.keepDims !== true ? (attributes.axes as number[]) : [];
  const forms = outputs.map(({ type, shape }) => {
    const whole = summed.length > 0 ? values[0]!.shape : shape.slice(extra);
    return { type, shape: whole.filter((_, axis) => !summed.includes(axis)) };
  });
  return builder
    .nodeOutputs(op, values, forms, attributes)
    .map((value, i) => reshape(builder, value, outputs[i]!.shape));
};
