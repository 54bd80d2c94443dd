import type { Graph, IrType } from './ir/graph.js';
import { optimise } from './ir/passes.js';
import { type KernelStage, stagesOf } from './ir/stages.js';
import { unroll } from './ir/unroll.js';
import { type View, withViews } from './ir/views.js';
import { writeOnnx } from './onnx/write.js';
import type { ElementType, Program, TensorSpecs } from './program.js';
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

/** One part of a program that is done in stages: an ONNX file with its views, or a kernel. */
export type LoweredStage =
  | {
      readonly kind: 'graph';
      readonly model: Uint8Array;
      readonly views: readonly View[];
      /** Graph inputs and outputs; their names are those of places. */
      readonly inputs: TensorSpecs;
      readonly outputs: TensorSpecs;
    }
  | KernelStage;

export interface LoweredStages {
  readonly stages: readonly LoweredStage[];
  /** Places of what goes from one stage to another, beside those of the next state. */
  readonly crossing: TensorSpecs;
}

/** A program's graph as it is run, before its parts are views. */
function unrolledGraph(program: Program, { steps, shapes }: LoweringOptions): Graph {
  const options = { target: shapes === 'dynamic' ? ('cpu' as const) : ('gpu' as const) };
  const graph = optimise(traceProgram(program), options);
  if (steps === 1) return graph;
  const nextOf = nextStates(program);
  return optimise(unroll(graph, steps, { nextOf: (name) => nextOf.get(name) }), options);
}

/** For each state entry's place that of its next value. */
const nextStates = (program: Program): ReadonlyMap<string, string> =>
  new Map(Object.keys(program.state).map((key) => [names.state(key), names.nextState(key)]));

/** What `lowerProgram` gives, of a program's own graph. */
function loweredGraph(program: Program, graph: Graph, { steps, shapes }: LoweringOptions): LoweredProgram {
  const nextOf = nextStates(program);
  // Where inputs stay at fixed places, their parts are views as well.
  const isFlat = (name: string): boolean =>
    nextOf.has(name) || (shapes === 'static' && name.startsWith(names.input('')));
  const viewed = withViews(graph, isFlat, { joined: shapes === 'static' });
  return {
    model: writeOnnx(viewed.graph, { portable: false }),
    views: viewed.views,
    inputs: stacked(program.inputs, steps),
    outputs: formsOf(graph.outputs, names.output('')),
  };
}

const asElement = (type: IrType): ElementType => (type === 'bool' ? 'int32' : type);

/** The forms of a graph's entries whose names begin with `prefix`, by the rest of their names. */
const formsOf = (entries: Graph['outputs'], prefix = ''): TensorSpecs =>
  Object.fromEntries(
    entries
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name, value }) => [name.slice(prefix.length), formOf(value)]),
  );

/**
 * Traces a program and writes it as one ONNX graph. Its entries are named by `names` of trace/trace.ts. UNSUPPORTED for
 * what cannot be traced (with the kernel and the line), INVALID_ARGUMENT for a program that does not fit its specs.
 */
export function lowerProgram(program: Program, options: LoweringOptions): LoweredProgram {
  return loweredGraph(program, unrolledGraph(program, options), options);
}

/**
 * A program lowered for the CPU as one graph, and where its long vectors gain from it in stages; both compute the same
 * bits. Errors as of `lowerProgram`.
 */
export function lowerInStages(program: Program): { whole: LoweredProgram; staged: LoweredStages | undefined } {
  const options: LoweringOptions = { steps: 1, shapes: 'dynamic' };
  const graph = unrolledGraph(program, options);
  const whole = loweredGraph(program, graph, options);
  const cut = stagesOf(graph);
  if (cut === undefined) return { whole, staged: undefined };
  const isInput = (name: string): boolean => name.startsWith(names.input(''));
  const stages = cut.stages.map((stage): LoweredStage => {
    if (stage.kind === 'kernel') return stage;
    // All but a batch stays at one place from run to run, or is made in this very run.
    const { graph: part, views } = withViews(stage.graph, (name) => !isInput(name));
    const named = part.inputs.map((value) => ({ name: value.origin.kind === 'input' ? value.origin.name : '', value }));
    const own = named.filter(({ name }) => !views.some((view) => view.name === name));
    return {
      kind: 'graph',
      model: writeOnnx(part, { portable: false }),
      views,
      inputs: Object.fromEntries(
        own.map(({ name, value: { type, shape } }) => [name, { shape, dtype: asElement(type) }]),
      ),
      outputs: formsOf(part.outputs),
    };
  });
  const crossing = [...cut.crossing].map(([name, value]) => ({ name, value }));
  return { whole, staged: { stages, crossing: formsOf(crossing) } };
}
