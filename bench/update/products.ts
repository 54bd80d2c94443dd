import type { ModelSummary, ProductSummary } from '../../src/engine/index.js';

/** Rows of a product; of those that a condition chooses at run time, half: each critic is the smaller as often. */
function rowsOf({ rows }: ProductSummary): number {
  return typeof rows === 'number' ? rows : Number(/_of_(\d+)$/.exec(rows)?.[1]) / 2;
}

const flopsOf = (product: ProductSummary): number =>
  2 * product.stack * rowsOf(product) * product.inner * product.columns;

/** Of all matrix products of a model. */
export const productFlops = (model: ModelSummary): number =>
  model.products.reduce((sum, product) => sum + flopsOf(product), 0);

const mflop = (flops: number): string => (flops / 1e6).toFixed(2).padStart(9);

/** All matrix products of a compiled update, largest first, equal ones on one line, with what they sum up to. */
export function productTable(model: ModelSummary, needed: number): string {
  const lines = new Map<string, { readonly product: ProductSummary; names: string[] }>();
  for (const product of model.products) {
    const key = [product.stack, product.rows, product.inner, product.columns].join();
    const line = lines.get(key) ?? { product, names: [] };
    line.names.push(product.name);
    lines.set(key, line);
  }
  const rows = [...lines.values()]
    .map(({ product, names }) => ({ product, names, total: names.length * flopsOf(product) }))
    .sort((a, b) => b.total - a.total)
    .map(({ product: { stack, rows: m, inner, columns }, names, total }) =>
      [mflop(total), `${names.length} ×`, `${stack} × [${m}, ${inner}] · [${inner}, ${columns}]`, names.join(' ')].join(
        '  ',
      ),
    );
  return [
    `${model.name}: ${model.products.length} products in ${model.nodes.length} nodes, MFLOP`,
    ...rows,
    `${mflop(productFlops(model))}  in all; ${(needed / 1e6).toFixed(2)} are needed where nothing is computed twice`,
  ].join('\n');
}
