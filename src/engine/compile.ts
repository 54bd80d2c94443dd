import { IqLearnError } from '../common/index.js';
import { checkArrays } from './check.js';
import { optimise } from './ir/passes.js';
import { unroll } from './ir/unroll.js';
import { OnnxExecutable } from './onnx/onnx-executable.js';
import { createSession, loadOnnxruntime } from './onnx/session.js';
import { writeOnnx } from './onnx/write.js';
import type { ArrayRecord, Executable, Program, TensorSpecs } from './program.js';
import { formOf, names, traceProgram } from './trace/trace.js';

export interface CompileOptions {
  /** `onnx`: traced once and run by onnxruntime. `eager`: run operation by operation on a tfjs backend. */
  readonly executor: 'onnx' | 'eager';
  /** The first state; copied. */
  readonly initialState: ArrayRecord;
  /** Steps a run: inputs and outputs get a leading axis of this length where it is above 1. */
  readonly unroll?: number;
  readonly threads?: number;
}

const stacked = (specs: TensorSpecs, steps: number): TensorSpecs =>
  steps === 1
    ? specs
    : Object.fromEntries(
        Object.entries(specs).map(([key, { shape, dtype }]) => [key, { shape: [steps, ...shape], dtype }]),
      );

export async function compile(program: Program, options: CompileOptions): Promise<Executable> {
  const steps = options.unroll ?? 1;
  checkArrays('state', program.state, options.initialState);
  if (options.executor !== 'onnx') throw new IqLearnError('UNSUPPORTED', 'the eager executor is not there yet');
  const ort = await loadOnnxruntime();
  const graph = optimise(traceProgram(program));
  const outputs = Object.fromEntries(
    graph.outputs
      .filter(({ name }) => name.startsWith(names.output('')))
      .map(({ name, value }) => [name.slice(names.output('').length), formOf(value)]),
  );
  const nextOf = new Map(Object.keys(program.state).map((key) => [names.state(key), names.nextState(key)]));
  const unrolled = steps === 1 ? graph : optimise(unroll(graph, steps, { nextOf: (name) => nextOf.get(name) }));
  const model = writeOnnx(unrolled, { portable: false });
  const session = await createSession(ort, model, { threads: options.threads ?? 2, spinning: true });
  return new OnnxExecutable(
    ort,
    session,
    model,
    program.state,
    stacked(program.inputs, steps),
    stacked(outputs, steps),
    options.initialState,
  );
}
