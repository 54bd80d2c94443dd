import { optimise } from './ir/passes.js';
import { unroll } from './ir/unroll.js';
import { type View, withViews } from './ir/views.js';
import { writeOnnx } from './onnx/write.js';
import type { Program, TensorSpecs } from './program.js';
import { formOf, names, stacked, traceProgram } from './trace/trace.js';

export interface LoweringOptions {
  /** Steps of the program in one run. */
  readonly steps: number;
  /**
   * `dynamic`: rows that need no work are left out at run time, which is faster on a CPU. `static`: every shape is
   * known beforehand, which a CUDA graph needs, and there are as few kernels to launch as possible. The results agree
   * to rounding.
   */
  readonly shapes: 'dynamic' | 'static';
}

/** A program as an ONNX file, and how its graph's entries are named. */
export interface LoweredProgram {
  readonly model: Uint8Array;
  /** Graph inputs that are parts of state entries, and with static shapes of inputs: views of the same memory. */
  readonly views: readonly View[];
  /** As declared, with a leading axis `steps` where steps > 1. */
  readonly inputs: TensorSpecs;
  /** As traced, with a leading axis `steps` where steps > 1. */
  readonly outputs: TensorSpecs;
}

/**
 * Traces a program and writes it as one ONNX graph. Its entries are named by `names` of trace/trace.ts. UNSUPPORTED for
 * what cannot be traced (with the kernel and the line), INVALID_ARGUMENT for a program that does not fit its specs.
 */
export function lowerProgram(program: Program, { steps, shapes }: LoweringOptions): LoweredProgram {
  const options = { target: shapes === 'dynamic' ? ('cpu' as const) : ('gpu' as const) };
  const graph = optimise(traceProgram(program), options);
  const outputs = graph.outputs
    .filter(({ name }) => name.startsWith(names.output('')))
    .map(({ name, value }) => [name.slice(names.output('').length), formOf(value)] as const);
  const nextOf = new Map(Object.keys(program.state).map((key) => [names.state(key), names.nextState(key)]));
  const unrolled =
    steps === 1 ? graph : optimise(unroll(graph, steps, { nextOf: (name) => nextOf.get(name) }), options);
  // Where inputs stay at fixed places, their parts are views as well.
  const isFlat = (name: string): boolean =>
    nextOf.has(name) || (shapes === 'static' && name.startsWith(names.input('')));
  const viewed = withViews(unrolled, isFlat, { joined: shapes === 'static' });
  return {
    model: writeOnnx(viewed.graph, { portable: false }),
    views: viewed.views,
    inputs: stacked(program.inputs, steps),
    outputs: stacked(Object.fromEntries(outputs), steps),
  };
}
