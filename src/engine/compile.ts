import { IqLearnError } from '../common/index.js';
import { checkArrays } from './check.js';
import { type EagerBackend, readyBackend } from './executors/eager/backends.js';
import { EagerExecutable } from './executors/eager/eager-executable.js';
import { OnnxExecutable } from './executors/onnx-cpu/onnx-executable.js';
import { PacedSession } from './executors/onnx-cpu/paced-session.js';
import { loadOnnxruntime } from './executors/onnx-cpu/session.js';
import { optimise } from './ir/passes.js';
import { unroll } from './ir/unroll.js';
import { withViews } from './ir/views.js';
import { writeOnnx } from './onnx/write.js';
import type { ArrayRecord, Executable, Program } from './program.js';
import { formOf, names, stacked, traceProgram } from './trace/trace.js';

export interface CompileOptions {
  /** `onnx`: traced once and run by onnxruntime. `eager`: run operation by operation on a tfjs backend. */
  readonly executor: 'onnx' | 'eager';
  /** The first state; copied. */
  readonly initialState: ArrayRecord;
  /** Steps a run, 1 by default: above 1, inputs and outputs get a leading axis of this length. */
  readonly unroll?: number;
  /**
   * Threads of the onnx executor. The same number gives the same bits on one machine; another number may not. `auto`,
   * the default, is the number of cores (at most 8), whatever the load.
   */
  readonly threads?: number | 'auto';
  /** Whether waiting threads of the onnx executor stay active (results do not depend on it); by default what is faster. */
  readonly spinning?: boolean;
  /** The tfjs backend of the eager executor; `auto`, the default, is tensorflow where it loads, else wasm. */
  readonly eagerBackend?: EagerBackend;
  /** Makes onnxruntime write a profile (JSON) to a file of this prefix on `dispose`. */
  readonly profilePrefix?: string;
}

/** An {@link Executable} of the onnx executor also holds its ONNX file, for viewers and `inspectModel`. */
export type { OnnxExecutable };

/**
 * Compiles a program. INVALID_ARGUMENT for a state, unroll or program that does not fit, UNSUPPORTED for what cannot
 * be traced (with the kernel and the line), UNAVAILABLE where onnxruntime or the backend does not load.
 */
export function compile(
  program: Program,
  options: CompileOptions & { readonly executor: 'onnx' },
): Promise<OnnxExecutable>;
export function compile(program: Program, options: CompileOptions): Promise<Executable>;
export async function compile(program: Program, options: CompileOptions): Promise<Executable> {
  const steps = options.unroll ?? 1;
  if (!Number.isInteger(steps) || steps < 1)
    throw new IqLearnError('INVALID_ARGUMENT', 'wrong unroll', { found: `${steps}`, expected: 'an integer from 1' });
  checkArrays('state', program.state, options.initialState);
  if (options.executor === 'eager') {
    const backend = await readyBackend(options.eagerBackend ?? 'auto');
    return new EagerExecutable(program, { backend, steps, initialState: options.initialState });
  }

  const ort = await loadOnnxruntime();
  const graph = optimise(traceProgram(program));
  const outputs = graph.outputs
    .filter(({ name }) => name.startsWith(names.output('')))
    .map(({ name, value }) => [name.slice(names.output('').length), formOf(value)] as const);
  const nextOf = new Map(Object.keys(program.state).map((key) => [names.state(key), names.nextState(key)]));
  const unrolled = steps === 1 ? graph : optimise(unroll(graph, steps, { nextOf: (name) => nextOf.get(name) }));
  const viewed = withViews(unrolled, (name) => nextOf.has(name));
  const model = writeOnnx(viewed.graph, { portable: false });
  const inputs = stacked(program.inputs, steps);
  const session = await PacedSession.create(ort, model, options);
  return new OnnxExecutable(ort, session, {
    model,
    state: program.state,
    views: viewed.views,
    inputs,
    outputs: stacked(Object.fromEntries(outputs), steps),
    initialState: options.initialState,
  });
}
