import { IqLearnError } from '../../common/index.js';
import { sizeOf, splatOf, type Value } from '../ir/graph.js';
import type { KernelStage } from '../ir/stages.js';
import * as wasm from './encode.js';

/** Bytes that one step of a kernel works on. Vectors must have room for whole steps: their places are padded. */
const STEP = 16;

export interface Kernel {
  /** A WebAssembly module, see `moduleOf`. */
  readonly module: Uint8Array<ArrayBuffer>;
  /** The places whose addresses `run` takes, in order. */
  readonly places: readonly string[];
}

/**
 * One pass over memory for all elementwise operations of a stage: four elements at a time go through all of them, and
 * nothing between is written. Operations and their order are those of the graph, and each is exactly rounded.
 */
export function kernelOf({ nodes, inputs, outputs }: KernelStage): Kernel {
  const places = [...new Set([...inputs.values(), ...outputs.values()])];
  const counter = places.length;
  const locals = new Map<Value, number>();
  const localOf = (value: Value): number => {
    if (!locals.has(value)) locals.set(value, counter + 1 + locals.size);
    return locals.get(value)!;
  };
  const address = (place: string): wasm.Code => wasm.get(places.indexOf(place));
  const body: number[] = [];

  // What is the same for all elements.
  const scalars = new Set(nodes.flatMap((node) => node.inputs).filter(({ shape }) => sizeOf(shape) === 1));
  for (const value of scalars) {
    const number = splatOf(value);
    const loaded = number === undefined ? [...address(inputs.get(value)!), ...wasm.loadSplat] : wasm.constant(number);
    body.push(...loaded, ...wasm.set(localOf(value)));
  }
  for (const size of new Set(nodes.map((node) => sizeOf(node.outputs[0]!.shape)))) {
    const here = (place: string): wasm.Code => [...address(place), ...wasm.get(counter), ...wasm.addI32];
    const steps: number[] = [];
    for (const node of nodes) {
      const [output] = node.outputs as readonly [Value];
      if (sizeOf(output.shape) !== size) continue;
      for (const value of node.inputs)
        if (!locals.has(value))
          steps.push(...here(inputs.get(value)!), ...wasm.loadVector, ...wasm.set(localOf(value)));
      const operation = wasm.arithmetic[node.op];
      if (operation === undefined) throw new IqLearnError('INTERNAL', `no kernel for ${node.op}`);
      steps.push(
        ...node.inputs.flatMap((value) => wasm.get(localOf(value))),
        ...operation,
        ...wasm.set(localOf(output)),
      );
      const place = outputs.get(output);
      if (place !== undefined) steps.push(...here(place), ...wasm.get(localOf(output)), ...wasm.storeVector);
    }
    const next = [...wasm.get(counter), ...wasm.i32(STEP), ...wasm.addI32, ...wasm.set(counter)];
    const more = [...wasm.get(counter), ...wasm.i32(4 * size), ...wasm.lessI32];
    body.push(...wasm.i32(0), ...wasm.set(counter), ...wasm.loop([...steps, ...next, ...more]));
  }
  return { module: wasm.moduleOf(places.length, locals.size, body), places };
}
