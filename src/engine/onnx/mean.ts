import { IqLearnError } from '../../common/index.js';
import { readModel } from './read.js';
import { encodeModel, type GraphProto, type ModelProto, type ValueInfoProto } from './schema.js';

const listOf = (infos: readonly ValueInfoProto[]): string =>
  infos
    .map(({ name, type }) => {
      const { elemType, shape } = type?.tensorType ?? {};
      return `${name} [${shape?.dim?.map(({ dimValue, dimParam }) => dimValue ?? dimParam)}] of type ${elemType}`;
    })
    .join(', ');

const operatorsOf = ({ irVersion, opsetImport }: ModelProto): string =>
  `IR ${irVersion}, ${opsetImport.map(({ domain, version }) => `${domain || 'ai.onnx'} ${version}`).join(', ')}`;

/** Throws MISMATCH where two models differ in what goes in, what comes out, or the operators that they are written in. */
function checkAlike(models: readonly ModelProto[]): void {
  const differences = [
    ['inputs', ({ graph }: ModelProto) => listOf(graph.input)],
    ['outputs', ({ graph }: ModelProto) => listOf(graph.output)],
    ['versions of operators', operatorsOf],
  ] as const;
  for (const [what, textOf] of differences)
    models.forEach((model, i) => {
      const [expected, found] = [models[0]!, model].map(textOf);
      if (found !== expected)
        throw new IqLearnError('MISMATCH', `models ${i + 1} and 1 have no mean: their ${what} differ`, {
          found: found!,
          expected: expected!,
          remedy: 'give models that the same version of iq_learn wrote for the same robot',
        });
    });
}

/** The same graph with other names for everything but its inputs, so that it can stand beside others in one file. */
function renamed({ name, node, initializer, input, output, valueInfo }: GraphProto, prefix: string): GraphProto {
  const kept = new Set(input.map((each) => each.name));
  // An empty name stands for an optional input that is not given.
  const renamedName = (old: string): string => (old === '' || kept.has(old) ? old : `${prefix}${old}`);
  return {
    name,
    node: node.map((each) => ({
      ...each,
      name: `${prefix}${each.name}`,
      input: each.input.map(renamedName),
      output: each.output.map(renamedName),
    })),
    initializer: initializer.map((each) => ({ ...each, name: renamedName(each.name) })),
    input,
    output: output.map((each) => ({ ...each, name: renamedName(each.name) })),
    valueInfo: valueInfo.map((each) => ({ ...each, name: renamedName(each.name) })),
  };
}

/**
 * One ONNX model of the mean: its outputs are the means, element by element, of the outputs that the given models have
 * for the same inputs. CORRUPT_DATA for bytes that are no model, MISMATCH for models of other inputs or outputs.
 */
export function meanModel(files: readonly Uint8Array[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const models = files.map(readModel);
  checkAlike(models);
  const first = models[0]!;
  const graphs = models.map(({ graph }, i) => renamed(graph, `member${i + 1}_`));
  const all = <Part>(part: (graph: GraphProto) => readonly Part[]): Part[] => graphs.flatMap(part);
  const means = first.graph.output.map(({ name }) => ({
    name: `mean_${name}`,
    opType: 'Mean',
    input: graphs.map((_, i) => `member${i + 1}_${name}`),
    output: [name],
  }));
  return encodeModel({
    irVersion: first.irVersion,
    producerName: first.producerName,
    opsetImport: first.opsetImport,
    graph: {
      name: first.graph.name,
      node: [...all(({ node }) => node), ...means],
      initializer: all(({ initializer }) => initializer),
      input: first.graph.input,
      output: first.graph.output,
      valueInfo: all(({ output, valueInfo }) => [...valueInfo, ...output]),
    },
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
}
