import { type Graph, type IrNode, producer, sameShape, sizeOf, splatOf, type Value } from './graph.js';
import { binary, matMul, reshape, unary } from './operations.js';
import { rewrite } from './rewrite.js';

/** A column [m, 1] that is x where a condition holds, and 0 elsewhere. */
interface Gate {
  readonly condition: Value;
  readonly x: number;
}

/** The gate that a column is: a condition as a number, times a number. */
function gateOf(column: Value): Gate | undefined {
  if (column.shape.length !== 2 || column.shape[1] !== 1) return undefined;
  const source = producer(column, 'Reshape')?.inputs[0] ?? column;
  const factors = producer(source, 'Mul')?.inputs ?? [source];
  const condition = factors.map((factor) => producer(factor, 'Cast')?.inputs[0]).find(Boolean);
  const x = factors.length === 1 ? 1 : factors.map(splatOf).find((number) => number !== undefined);
  const fits = condition?.type === 'bool' && sizeOf(condition.shape) === column.shape[0];
  return fits && x !== undefined ? { condition, x } : undefined;
}

/** The product that makes `value`, if it maps each row of its first operand to a row. */
function rowProduct(value: Value): IrNode | undefined {
  const product = producer(value, 'MatMul');
  const flat = product?.inputs.length === 2 && product.inputs.every(({ shape }) => shape.length === 2);
  return flat && product.attributes.transA !== true ? product : undefined;
}

/** What the rows of `value` are made of, one by one. */
function rowsOf(value: Value): readonly Value[] {
  if (gateOf(value) !== undefined) return [value];
  const product = rowProduct(value);
  if (product !== undefined) return rowsOf(product.inputs[0]!);
  const node = value.origin.kind === 'node' ? value.origin.node : undefined;
  return node?.op === 'Mul' || node?.op === 'Step' ? node.inputs.flatMap(rowsOf) : [value];
}

/** The gate that all of `value`'s rows pass, [m, n]. */
function gatedBy(value: Value): Value | undefined {
  const [m] = value.shape as readonly [number];
  const rows = rowsOf(value);
  const plain = rows.every(
    ({ shape }) => sizeOf(shape) === 1 || (shape.length === 2 && (shape[0] === m || shape[0] === 1)),
  );
  return plain && rowProduct(value) !== undefined ? rows.find((row) => row.shape[0] === m && gateOf(row)) : undefined;
}

/**
 * The minimum over critics sends each row's gradient to one of them, and zeros to the other. Where such gradients go
 * through products and are added up, each critic's product is made of its own rows only, which halves the work:
 * rows that are chosen at run time, gathered, and put back.
 */
export function withLiveRows(graph: Graph): Graph {
  return rewrite(graph, (builder, _, { node, moved }) => {
    const [output] = node.outputs as readonly [Value];
    const [m] = output.shape as readonly [number];
    if (node.op !== 'Add' || output.shape.length !== 2 || m === 1) return undefined;
    if (!node.inputs.every((value) => sameShape(value.shape, output.shape) && gatedBy(value))) return undefined;

    return node.inputs.reduce(
      (sum, value) => {
        const column = gatedBy(value)!;
        const { condition, x } = gateOf(column)!;
        const flags = reshape(builder, moved(condition), [m]);
        const rows = builder.node('RowsWhere', [flags], { type: 'int32', shape: [m] }, { offset: 0 });
        /** The rows of `part` that the gate lets through. */
        const live = (part: Value): Value => {
          if (part === column) return builder.scalar('float32', x);
          if (sizeOf(part.shape) === 1) return reshape(builder, moved(part), []);
          if (part.shape[0] === 1) return moved(part);
          const product = rowProduct(part);
          const source = part.origin.kind === 'node' ? part.origin.node : undefined;
          const [a, b] = source?.inputs ?? [];
          if (product !== undefined)
            return matMul(builder, live(a!), moved(b!), { transA: false, transB: product.attributes.transB === true });
          if (source?.op === 'Mul') return binary(builder, 'Mul', live(a!), live(b!));
          if (source?.op === 'Step') return unary(builder, 'Step', live(a!));
          return builder.node('Gather', [moved(part), rows], part, { axis: 0 });
        };
        return builder.node('AddRows', [sum, rows, live(value)], output);
      },
      builder.scalar('float32', 0, output.shape),
    );
  });
}
