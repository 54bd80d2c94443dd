import { Tensor } from '@tensorflow/tfjs';
import { IqLearnError } from '../../common/index.js';
import { type Graph, GraphBuilder, type IrData, sameShape, type Value } from '../ir/graph.js';
import { cast } from '../ir/operations.js';
import type { Program, TensorRecord, TensorSpec, TensorSpecs } from '../program.js';
import { callSite, withDeepStacks } from './call-site.js';
import { symbolicBackend } from './symbolic-backend.js';
import { tf, withBackend } from './tfjs.js';

/** Names inside a graph: entries of state and inputs cannot collide. */
export const names = {
  state: (name: string): string => `state/${name}`,
  input: (name: string): string => `input/${name}`,
  nextState: (name: string): string => `next/${name}`,
  output: (name: string): string => `output/${name}`,
};

export const formOf = (value: Value): TensorSpec => ({
  shape: value.shape,
  dtype: value.type === 'int32' ? 'int32' : 'float32',
});

/** Specs with a leading axis `steps` where steps are unrolled. */
export function stacked(specs: TensorSpecs, steps: number): TensorSpecs {
  if (steps === 1) return specs;
  const entries = Object.entries(specs);
  return Object.fromEntries(entries.map(([key, { shape, dtype }]) => [key, { shape: [steps, ...shape], dtype }]));
}

/** Turns tfjs' complaint about a kernel into ours; other errors pass. */
function explained(name: string, error: unknown): unknown {
  if (error instanceof IqLearnError || !(error instanceof Error)) return error;
  const kernel = /^Kernel '(\w+)' not registered|registered kernel '(\w+)'/.exec(error.message);
  if (kernel === null) return error;
  return new IqLearnError('UNSUPPORTED', `cannot trace ${name}`, {
    found: `the tfjs kernel ${kernel[1] ?? kernel[2]} at ${callSite(error.stack)}`,
    expected: 'kernels listed by supportedKernels()',
    remedy: 'write it with other operations, or use the eager executor',
    cause: error,
  });
}

/** Runs `record` on the symbolic backend in a tidy of its own. */
function recording(name: string, builder: GraphBuilder, record: () => void): void {
  const { name: backendName, backend } = symbolicBackend();
  try {
    withDeepStacks(() =>
      withBackend(backendName, () => backend.record(builder, () => void tf.tidy(() => void record()))),
    );
  } catch (error) {
    throw explained(name, error);
  }
}

/** bool has no place at the border: it leaves as int32. */
const outgoing = (builder: GraphBuilder, value: Value): Value =>
  value.type === 'bool' ? cast(builder, value, 'int32') : value;

function returned(name: string, record: TensorRecord | undefined, what: string): [string, Tensor][] {
  const entries = Object.entries(record ?? {});
  for (const [key, tensor] of entries)
    if (!(tensor instanceof Tensor))
      throw new IqLearnError('INVALID_ARGUMENT', `${name} returned no tensor for ${what} '${key}'`, {
        found: typeof tensor,
        expected: 'a tf.Tensor',
      });
  return entries;
}

const symbols = (builder: GraphBuilder, specs: TensorSpecs, rename: (name: string) => string): TensorRecord => {
  const { backend } = symbolicBackend();
  return Object.fromEntries(
    Object.entries(specs).map(([key, { shape, dtype }]): [string, Tensor] => {
      const input = builder.input(rename(key), { type: dtype, shape });
      // tfjs has no bytes: they come in as the float32 numbers that networks want.
      return [key, backend.tensor(dtype === 'uint8' ? cast(builder, input, 'float32') : input)];
    }),
  );
};

/** Checks that the next state has the entries, shapes and types of the state. INVALID_ARGUMENT. */
export function checkNextState(name: string, state: TensorSpecs, next: TensorRecord): void {
  for (const key of new Set([...Object.keys(state), ...Object.keys(next)])) {
    const [spec, tensor] = [state[key], next[key]];
    if (
      spec !== undefined &&
      tensor !== undefined &&
      sameShape(spec.shape, tensor.shape) &&
      spec.dtype === tensor.dtype
    )
      continue;
    const text = (form: TensorSpec | Tensor | undefined): string =>
      form === undefined ? 'nothing' : `${form.dtype}[${form.shape.join()}]`;
    throw new IqLearnError('INVALID_ARGUMENT', `${name} returned another state than it declares`, {
      found: `${text(tensor)} for '${key}'`,
      expected: text(spec),
      remedy: 'return every state entry with its shape and type, and nothing else',
    });
  }
}

/** Records a program as a graph of one step. Inputs and outputs are named by {@link names}. */
export function traceProgram(program: Program): Graph {
  const builder = new GraphBuilder({ share: false });
  const outputs: { name: string; value: Value }[] = [];
  recording(program.name, builder, () => {
    const { backend } = symbolicBackend();
    const state = symbols(builder, program.state, names.state);
    const result = program.step(state, symbols(builder, program.inputs, names.input));
    const next = returned(program.name, result.state, 'state');
    checkNextState(program.name, program.state, Object.fromEntries(next));
    for (const [key, tensor] of next) outputs.push({ name: names.nextState(key), value: backend.value(tensor) });
    for (const [key, tensor] of returned(program.name, result.outputs, 'output'))
      outputs.push({ name: names.output(key), value: outgoing(builder, backend.value(tensor)) });
  });
  return { name: program.name, inputs: builder.inputs, nodes: builder.nodes, outputs };
}

/** Records a function of inputs and constants; names stay as they are. */
export function traceFunction(
  name: string,
  fn: (inputs: TensorRecord, constants: TensorRecord) => TensorRecord,
  inputs: TensorSpecs,
  constants: Readonly<Record<string, { readonly spec: TensorSpec; readonly data: IrData }>>,
): Graph {
  const builder = new GraphBuilder({ share: false });
  const outputs: { name: string; value: Value }[] = [];
  recording(name, builder, () => {
    const { backend } = symbolicBackend();
    const given = Object.entries(constants).map(([key, { spec, data }]): [string, Tensor] => [
      key,
      backend.tensor(builder.constant({ type: spec.dtype, shape: spec.shape }, data)),
    ]);
    const result = fn(
      symbols(builder, inputs, (key) => key),
      Object.fromEntries(given),
    );
    for (const [key, tensor] of returned(name, result, 'output'))
      outputs.push({ name: key, value: outgoing(builder, backend.value(tensor)) });
  });
  return { name, inputs: builder.inputs, nodes: builder.nodes, outputs };
}
