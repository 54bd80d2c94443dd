import {
  figure,
  labelOf,
  meanAndDeviation,
  type PolicyResult,
  percent,
  type ReportCandidate,
  summarise,
  textColumns,
} from '../report/index.js';

export { textColumns as columns };

/**
 * A table with a row for each policy: its label, success, return (mean ± standard deviation) and number of episodes. Where
 * the task knows no success, the lowest return and the episodes that ended early (a fall) say how far it can be relied on.
 */
export function resultTable(
  candidates: readonly ReportCandidate[],
  results: readonly PolicyResult[],
  hasSuccess: boolean,
): string {
  const head = [
    'policy',
    ...(hasSuccess ? ['success'] : []),
    'return (mean ± sd)',
    ...(hasSuccess ? [] : ['lowest', 'ended early']),
    'episodes',
  ];
  const body = results.map(({ policy, episodes }) => {
    const summary = summarise(episodes);
    return [
      labelOf({ candidates }, policy),
      ...(hasSuccess ? [percent(summary.successRate)] : []),
      meanAndDeviation(summary),
      ...(hasSuccess ? [] : [figure(summary.lowest), String(summary.terminated ?? '–')]),
      String(summary.episodes),
    ];
  });
  return textColumns([head, ...body]);
}
