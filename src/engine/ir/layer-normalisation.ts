import { type GraphBuilder, producer, splatOf, type Value } from './graph.js';
import type { Rule } from './rewrite.js';

/** The rows of which `value` is x − mean(x), over the last axis. */
function rowsOfCentred(value: Value): Value | undefined {
  const difference = producer(value, 'Sub');
  if (difference === undefined) return undefined;
  const [x, mean] = difference.inputs as readonly [Value, Value];
  return isMeanOf(mean, x) ? x : undefined;
}

/** Whether `value` is the mean of x over its last axis, which is kept. */
function isMeanOf(value: Value, x: Value): boolean {
  const mean = producer(value, 'ReduceMean');
  const axes = mean?.attributes.axes as readonly number[] | undefined;
  const last = axes?.length === 1 && axes[0] === x.shape.length - 1;
  return mean?.inputs[0] === x && last && mean.attributes.keepDims === true;
}

/** The rows x and the ε of 1 / √(mean((x − mean(x))²) + ε). */
function rowsOfScale(root: Value): { readonly x: Value; readonly epsilon: number } | undefined {
  const sum = producer(root, 'Sqrt')?.inputs[0];
  const [variance, constant] = (sum === undefined ? undefined : producer(sum, 'Add')?.inputs) ?? [];
  const epsilon = constant === undefined ? undefined : splatOf(constant);
  const mean = variance === undefined ? undefined : producer(variance, 'ReduceMean');
  const square = mean === undefined ? undefined : producer(mean.inputs[0]!, 'Mul');
  if (epsilon === undefined || square === undefined || !isMeanOf(variance!, square.outputs[0]!)) return undefined;
  const [centred, same] = square.inputs as readonly [Value, Value];
  const x = centred === same ? rowsOfCentred(centred) : undefined;
  return x === undefined ? undefined : { x, epsilon };
}

/** ONNX's LayerNormalization over the last axis, with a scale of 1: normalised rows, their means, 1 / deviations. */
function normalised(builder: GraphBuilder, x: Value, epsilon: number): readonly Value[] {
  const rows = { type: x.type, shape: x.shape.with(-1, 1) };
  const ones = builder.scalar(x.type, 1, x.shape.slice(-1));
  return builder.nodeOutputs('LayerNormalization', [x, ones], [x, rows, rows], { epsilon });
}

/** Rows that are normalised step by step become one operation, which goes over memory once instead of five times. */
export const layerNormalisation: Rule = (builder, { op, inputs }) => {
  if (op === 'Reciprocal') {
    const rows = rowsOfScale(inputs[0]!);
    return rows === undefined ? undefined : normalised(builder, rows.x, rows.epsilon)[2];
  }
  if (op !== 'Mul') return undefined;
  const [a, b] = inputs as readonly [Value, Value];
  for (const [centred, scale] of [
    [a, b],
    [b, a],
  ] as const) {
    const whole = producer(scale, 'LayerNormalization');
    if (whole !== undefined && scale === whole.outputs[2] && rowsOfCentred(centred) === whole.inputs[0])
      return whole.outputs[0];
  }
  return undefined;
};
