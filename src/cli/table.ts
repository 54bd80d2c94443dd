import {
  labelOf,
  meanAndDeviation,
  type PolicyResult,
  percent,
  type ReportCandidate,
  summarise,
  textColumns,
} from '../report/index.js';

export { textColumns as columns };

/** A table with a row for each policy: its label, success, return (mean ± standard deviation) and number of episodes. */
export function resultTable(
  candidates: readonly ReportCandidate[],
  results: readonly PolicyResult[],
  hasSuccess: boolean,
): string {
  const head = ['policy', ...(hasSuccess ? ['success'] : []), 'return (mean ± sd)', 'episodes'];
  const body = results.map(({ policy, episodes }) => {
    const summary = summarise(episodes);
    return [
      labelOf({ candidates }, policy),
      ...(hasSuccess ? [percent(summary.successRate)] : []),
      meanAndDeviation(summary),
      String(summary.episodes),
    ];
  });
  return textColumns([head, ...body]);
}
