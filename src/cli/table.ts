import { meanAndDeviation, type PolicyResult, percent, policyLabels, summarise } from '../report/index.js';

/** Columns under each other: the first to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('   '))
    .map((line) => line.trimEnd())
    .join('\n');
}

/** policy, success, return mean ± sd, episodes */
export function resultTable(results: readonly PolicyResult[], hasSuccess: boolean): string {
  const head = ['policy', ...(hasSuccess ? ['success'] : []), 'return (mean ± sd)', 'episodes'];
  const body = results.map(({ policy, episodes }) => {
    const summary = summarise(episodes);
    return [
      policyLabels[policy],
      ...(hasSuccess ? [percent(summary.successRate)] : []),
      meanAndDeviation(summary),
      String(summary.episodes),
    ];
  });
  return columns([head, ...body]);
}
