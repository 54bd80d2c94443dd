import { binary, cast, matMul, reduce, unary } from '../ir/operations.js';
import { activation } from './elementwise-kernels.js';
import { axesOf, type Kernel, type Kernels } from './kernel.js';

/** A reduction whose axes tfjs calls `axis` or, for Max, `reductionIndices`. */
const reduction =
  (op: string): Kernel =>
  (c) => {
    const x = c.input('x');
    const axes = axesOf(c.attribute('axis') ?? c.attribute('reductionIndices'), x.shape.length);
    return reduce(c.builder, op, x, axes, c.flag('keepDims'));
  };

/** All and Any, as minimum and maximum of 0 and 1. */
const logical =
  (op: string): Kernel =>
  (c) => {
    const x = cast(c.builder, c.input('x'), 'int32');
    const axes = axesOf(c.attribute('axis'), x.shape.length);
    return cast(c.builder, reduce(c.builder, op, x, axes, c.flag('keepDims')), 'bool');
  };

const indexOf =
  (op: string): Kernel =>
  (c) => {
    const x = c.input('x');
    const [axis = 0] = axesOf(c.number('axis'), x.shape.length);
    return c.builder.node(op, [x], { type: 'int32', shape: x.shape.toSpliced(axis, 1) }, { axis });
  };

export const reductionKernels: Kernels = {
  Sum: (c) => {
    const x = c.input('x');
    const [b, type] = [c.builder, x.type === 'bool' ? 'int32' : x.type];
    return reduce(b, 'ReduceSum', cast(b, x, type), axesOf(c.attribute('axis'), x.shape.length), c.flag('keepDims'));
  },
  Mean: (c) => {
    const x = cast(c.builder, c.input('x'), 'float32');
    return reduce(c.builder, 'ReduceMean', x, axesOf(c.attribute('axis'), x.shape.length), c.flag('keepDims'));
  },
  Max: reduction('ReduceMax'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  ArgMax: indexOf('ArgMax'),
  ArgMin: indexOf('ArgMin'),
  Softmax: (c) => {
    const x = c.input('logits');
    const axis = c.number('dim') < 0 ? c.number('dim') + x.shape.length : c.number('dim');
    return unary(c.builder, 'Softmax', x, { axis });
  },
  BatchMatMul: (c) => {
    const transposes = { transA: c.flag('transposeA'), transB: c.flag('transposeB') };
    return matMul(c.builder, c.input('a'), c.input('b'), transposes);
  },
  _FusedMatMul: (c) => {
    const b = c.builder;
    const transposes = { transA: c.flag('transposeA'), transB: c.flag('transposeB') };
    const product = matMul(b, c.input('a'), c.input('b'), transposes);
    const bias = c.optional('bias');
    const y = bias === undefined ? product : binary(b, 'Add', product, bias);
    const name = String(c.attribute('activation') ?? 'linear');
    const slope = c.optional('preluActivationWeights');
    return (
      activation(b, name, y, Number(c.attribute('leakyreluAlpha') ?? 0), slope) ?? c.refuse(`activation '${name}'`)
    );
  },
};
