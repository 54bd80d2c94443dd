import { type Form, type IrType, sizeOf, typedArray, type Value } from '../ir/graph.js';
import { cast, compare, concat, reshape, slice, split, transpose, where } from '../ir/operations.js';
import type { Kernel, KernelCall, Kernels } from './kernel.js';

/** A shape in which one −1 stands for what is left. */
function fullShape(shape: readonly number[], size: number): number[] {
  const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
  return shape.map((n) => (n === -1 ? size / known : n));
}

const toShape =
  (shape: (c: KernelCall, x: Value) => readonly number[]): Kernel =>
  (c) => {
    const x = c.input(c.attribute('dim') === undefined ? 'x' : 'input');
    return reshape(c.builder, x, shape(c, x));
  };

const filled = (c: KernelCall, form: Form, number: number): Value => c.builder.scalar(form.type, number, form.shape);

const splitV: Kernel = (c) => {
  const [x, wanted] = [c.input('x'), c.attribute('numOrSizeSplits')];
  const axis = c.number('axis') < 0 ? c.number('axis') + x.shape.length : c.number('axis');
  const length = x.shape[axis] ?? 1;
  const sizes = Array.isArray(wanted)
    ? wanted.map(Number)
    : Array<number>(Number(wanted)).fill(length / Number(wanted));
  const rest = length - sizes.reduce((sum, n) => sum + Math.max(n, 0), 0);
  return split(
    c.builder,
    x,
    sizes.map((n) => (n < 0 ? rest : n)),
    axis,
  );
};

const sliced: Kernel = (c) => {
  const [x, begin, size] = [c.input('x'), c.numbers('begin'), c.numbers('size')];
  const sizes = x.shape.map((n, i) => ((size[i] ?? -1) < 0 ? n - (begin[i] ?? 0) : (size[i] ?? 0)));
  return slice(
    c.builder,
    x,
    x.shape.map((_, i) => begin[i] ?? 0),
    sizes,
  );
};

/** Gathers slices of `x` along `axis`; the result has the indices' shape in that axis' place. */
const gather: Kernel = (c) => {
  const [b, x, indices] = [c.builder, c.input('x'), c.input('indices')];
  const axis = c.number('axis') < 0 ? c.number('axis') + x.shape.length : c.number('axis');
  const batchDims = Number(c.attribute('batchDims') ?? 0);
  if (batchDims === 0) {
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return b.node('Gather', [x, indices], { type: x.type, shape }, { axis });
  }
  // With batch axes in front: one gather from the flattened leading axes, rows offset by their batch.
  const [batch, rest] = [x.shape.slice(0, batchDims), x.shape.slice(axis + 1)];
  const middle = x.shape.slice(batchDims, axis);
  const [rows, width, inner] = [sizeOf(batch), x.shape[axis] ?? 1, sizeOf(middle)];
  const perBatch = sizeOf(indices.shape.slice(batchDims));
  const flat = reshape(b, x, [rows * inner * width, ...rest]);
  const offsets = Int32Array.from({ length: rows * inner }, (_, i) => i * width);
  const base = b.constant({ type: 'int32', shape: [rows, inner, 1] }, offsets);
  const wide = reshape(b, indices, [rows, 1, perBatch]);
  const all = b.node('Add', [wide, base], { type: 'int32', shape: [rows, inner, perBatch] });
  const found = b.node('Gather', [flat, all], { type: x.type, shape: [rows, inner, perBatch, ...rest] }, { axis: 0 });
  return reshape(b, found, [...batch, ...middle, ...indices.shape.slice(batchDims), ...rest]);
};

const unsortedSegmentSum: Kernel = (c) => {
  const [b, x, ids] = [c.builder, c.input('x'), c.input('segmentIds')];
  const shape = [c.number('numSegments'), ...x.shape.slice(1)];
  return b.node('ScatterSum', [filled(c, { type: x.type, shape }, 0), ids, x], { type: x.type, shape });
};

const oneHot: Kernel = (c) => {
  const [b, indices, depth] = [c.builder, c.input('indices'), c.number('depth')];
  const classes = b.constant(
    { type: 'int32', shape: [depth] },
    Int32Array.from({ length: depth }, (_, i) => i),
  );
  const hit = compare(b, 'Equal', reshape(b, indices, [...indices.shape, 1]), classes);
  const type: IrType = c.attribute('dtype') === undefined ? 'float32' : c.type('dtype');
  const [on, off] = [c.number('onValue'), c.number('offValue')];
  return on === 1 && off === 0 ? cast(b, hit, type) : where(b, hit, b.scalar(type, on), b.scalar(type, off));
};

/** tfjs resolves masks before the kernel in part; this covers begin, end, strides and the five masks themselves. */
const stridedSlice: Kernel = (c) => {
  const x = c.input('x');
  const mask = (name: string, axis: number): boolean => ((Number(c.attribute(name) ?? 0) >> axis) & 1) === 1;
  const [begin, end, strides] = [c.numbers('begin'), c.numbers('end'), c.numbers('strides')];
  const starts: number[] = [];
  const steps: number[] = [];
  const sizes: number[] = [];
  const shape: number[] = [];
  let axis = 0;
  const ellipsis = begin.findIndex((_, i) => mask('ellipsisMask', i));
  const added = begin.filter((_, i) => mask('newAxisMask', i)).length;
  const skipped = ellipsis < 0 ? 0 : x.shape.length - (begin.length - 1 - added);
  const whole = (): void => {
    starts.push(0);
    steps.push(1);
    sizes.push(x.shape[axis] ?? 1);
    shape.push(x.shape[axis++] ?? 1);
  };
  begin.forEach((first, i) => {
    if (i === ellipsis) for (let k = 0; k < skipped; k++) whole();
    else if (mask('newAxisMask', i)) shape.push(1);
    else {
      const [n, step, shrink] = [x.shape[axis++] ?? 1, strides[i] ?? 1, mask('shrinkAxisMask', i)];
      const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
      const place = (at: number): number => Math.min(Math.max(at < 0 ? at + n : at, low), high);
      const start = mask('beginMask', i) && !shrink ? (step > 0 ? 0 : n - 1) : place(first);
      const stop = mask('endMask', i) ? (step > 0 ? n : -1) : place(end[i] ?? n);
      const size = shrink ? 1 : Math.max(0, Math.ceil((stop - start) / step));
      starts.push(start);
      steps.push(shrink ? 1 : step);
      sizes.push(size);
      if (!shrink) shape.push(size);
    }
  });
  while (axis < x.shape.length) whole();
  return reshape(c.builder, slice(c.builder, x, starts, sizes, steps), shape);
};

export const shapeKernels: Kernels = {
  Reshape: toShape((c, x) => fullShape(c.numbers('shape'), sizeOf(x.shape))),
  ExpandDims: toShape((c, x) => {
    const dim = c.number('dim') < 0 ? c.number('dim') + x.shape.length + 1 : c.number('dim');
    return x.shape.toSpliced(dim, 0, 1);
  }),
  Transpose: (c) => transpose(c.builder, c.input('x'), c.numbers('perm')),
  SplitV: splitV,
  Slice: sliced,
  StridedSlice: stridedSlice,
  Concat: (c) => {
    const rank = c.list[0]?.shape.length ?? 1;
    const axis = c.number('axis') < 0 ? c.number('axis') + rank : c.number('axis');
    // tfjs drops empty parts; so does this.
    const filledParts = c.list.filter((value) => sizeOf(value.shape) > 0);
    return concat(c.builder, filledParts.length > 0 ? filledParts : c.list.slice(0, 1), axis);
  },
  Pack: (c) => {
    const rank = (c.list[0]?.shape.length ?? 0) + 1;
    const axis = c.number('axis') < 0 ? c.number('axis') + rank : c.number('axis');
    const parts = c.list.map((value) => reshape(c.builder, value, value.shape.toSpliced(axis, 0, 1)));
    return concat(c.builder, parts, axis);
  },
  Unpack: (c) => {
    const x = c.input('value');
    const axis = c.number('axis') < 0 ? c.number('axis') + x.shape.length : c.number('axis');
    const parts = split(c.builder, x, Array<number>(x.shape[axis] ?? 1).fill(1), axis);
    return parts.map((part) => reshape(c.builder, part, x.shape.toSpliced(axis, 1)));
  },
  PadV2: (c) => {
    const [x, paddings] = [c.input('x'), c.attribute('paddings') as readonly (readonly [number, number])[]];
    const shape = x.shape.map((n, i) => n + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0));
    const pads = [...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)];
    return c.builder.node('Pad', [x], { type: x.type, shape }, { pads, value: c.number('constantValue') });
  },
  Tile: (c) => {
    const [x, repeats] = [c.input('x'), c.numbers('reps')];
    const shape = x.shape.map((n, i) => n * (repeats[i] ?? 1));
    return c.builder.node('Tile', [x], { type: x.type, shape }, { repeats });
  },
  Reverse: (c) => {
    const x = c.input('x');
    const axes = c.numbers('dims').map((d) => (d < 0 ? d + x.shape.length : d));
    const starts = x.shape.map((n, i) => (axes.includes(i) ? n - 1 : 0));
    const steps = x.shape.map((_, i) => (axes.includes(i) ? -1 : 1));
    return slice(c.builder, x, starts, x.shape, steps);
  },
  GatherV2: gather,
  UnsortedSegmentSum: unsortedSegmentSum,
  OneHot: oneHot,
  Fill: (c) => filled(c, { type: c.type('dtype'), shape: c.numbers('shape') }, c.number('value')),
  ZerosLike: (c) => filled(c, c.input('x'), 0),
  OnesLike: (c) => filled(c, c.input('x'), 1),
  Range: (c) => {
    const [start, stop, step] = [c.number('start'), c.number('stop'), c.number('step')];
    const length = Math.max(0, Math.ceil((stop - start) / step));
    const type = c.attribute('dtype') === undefined ? 'float32' : c.type('dtype');
    const data = typedArray(type, length);
    for (let i = 0; i < length; i++) data[i] = start + i * step;
    return c.builder.constant({ type, shape: [length] }, data);
  },
};
