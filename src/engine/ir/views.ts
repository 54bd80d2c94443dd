import { type Graph, GraphBuilder, sizeOf, type Value } from './graph.js';
import { replay, withoutDeadNodes } from './rewrite.js';

/** A graph input that reads a part of another input's memory. */
export interface View {
  readonly name: string;
  readonly of: string;
  /** Where it begins, in elements. */
  readonly offset: number;
  readonly shape: readonly number[];
}

interface Place {
  readonly of: string;
  readonly offset: number;
}

/** Where the first of several parts lies, if the others follow it in memory as they do in the concatenation. */
function neighbours(parts: readonly Value[], axis: number, places: ReadonlyMap<Value, Place>): Place | undefined {
  const first = places.get(parts[0]!);
  let offset = first?.offset;
  for (const value of parts) {
    const place = places.get(value);
    if (place === undefined || place.of !== first?.of || place.offset !== offset) return undefined;
    if (value.shape.slice(0, axis).some((n) => n !== 1)) return undefined;
    offset += sizeOf(value.shape);
  }
  return first;
}

/**
 * Parts of flat inputs (networks in their parameter vectors) as inputs of their own, which the caller makes as views of
 * the same memory: what would be copied by Split and renamed by Reshape at every run costs nothing. With `joined`, what
 * Concat would put together is one view where it lies together already.
 */
export function withViews(
  graph: Graph,
  isFlat: (inputName: string) => boolean,
  { joined = false }: { readonly joined?: boolean } = {},
): { graph: Graph; views: View[] } {
  const builder = new GraphBuilder({ share: true });
  const map = new Map<Value, Value>();
  /** For each value that is a part of a flat input: that input's name and the offset in it. */
  const places = new Map<Value, Place>();
  const made = new Map<string, { readonly view: View; readonly value: Value }>();
  const nameOf = (value: Value): string | undefined => (value.origin.kind === 'input' ? value.origin.name : undefined);

  for (const input of graph.inputs) map.set(input, builder.input(nameOf(input) ?? '', input));
  const part = (of: string, offset: number, form: Value): Value => {
    const name = `view/${of}/${offset}/${form.shape.join('x')}`;
    let entry = made.get(name);
    if (entry === undefined) {
      const value = builder.input(name, form);
      entry = { value, view: { name, of, offset, shape: form.shape } };
      made.set(name, entry);
      places.set(value, { of, offset });
    }
    return entry.value;
  };
  replay(graph, builder, map, (_, { op, inputs, outputs, attributes }) => {
    const [x] = inputs as readonly [Value];
    const name = nameOf(x);
    const own = name !== undefined && isFlat(name) ? { of: name, offset: 0 } : undefined;
    // A part may be split again, as the vector of several networks that each are split into layers.
    const split = op === 'Split' && x.shape.length === 1 ? (places.get(x) ?? own) : undefined;
    if (split !== undefined) {
      let { offset } = split;
      return outputs.map((output) => {
        const value = part(split.of, offset, output);
        offset += sizeOf(output.shape);
        return value;
      });
    }
    const first = joined && op === 'Concat' ? neighbours(inputs, Number(attributes.axis), places) : undefined;
    if (first !== undefined) return part(first.of, first.offset, outputs[0]!);
    const place = op === 'Reshape' ? places.get(x) : undefined;
    return place === undefined ? undefined : part(place.of, place.offset, outputs[0]!);
  });
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: map.get(value)! }));
  const viewed = withoutDeadNodes({ name: graph.name, inputs: builder.inputs, nodes: builder.nodes, outputs });
  const read = new Set([...viewed.nodes.flatMap((node) => node.inputs), ...outputs.map(({ value }) => value)]);
  const kept = [...made.values()].filter(({ value }) => read.has(value));
  const own = builder.inputs.filter((value) => !places.has(value));
  return {
    graph: { ...viewed, inputs: [...own, ...kept.map(({ value }) => value)] },
    views: kept.map(({ view }) => view),
  };
}
