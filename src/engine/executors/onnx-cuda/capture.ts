import { IqLearnError } from '../../../common/index.js';
import { readModel } from '../../onnx/read.js';

/** Operators whose result has a shape that only the data decide, or that ask the processor what to do next. */
const dynamic = new Set(['NonZero', 'Compress', 'Unique', 'Loop', 'If', 'Scan', 'NonMaxSuppression']);
/** Operators that read places given by data: their CUDA kernels copy through memory that a replay no longer has. */
const indexed = new Set(['Gather', 'GatherND', 'GatherElements', 'ScatterND', 'ScatterElements']);

/**
 * Refuses a model that a CUDA graph cannot hold, before anything runs: replaying such a graph reads memory that is no
 * longer there. UNSUPPORTED, with the names of the nodes.
 */
export function checkCapturable(model: Uint8Array): void {
  const { graph } = readModel(model);
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const wrong = graph.node.filter(
    ({ opType, input }) => dynamic.has(opType) || (indexed.has(opType) && !constants.has(input[1] ?? '')),
  );
  if (wrong.length === 0) return;
  throw new IqLearnError('UNSUPPORTED', `${graph.name} cannot be captured in a CUDA graph`, {
    found: `nodes that depend on data: ${wrong.map(({ name }) => name).join(', ')}`,
    expected: 'operations whose shapes and places are known beforehand',
    remedy: 'write it with masks instead of chosen rows, or choose another device',
  });
}
