import {
  figure,
  labelOf,
  meanAndDeviation,
  percent,
  type ReportData,
  summarise,
  textColumns,
} from '../report/index.js';

export { textColumns as columns };

/**
 * A table with a row for each policy: its label, success, return (mean ± standard deviation) and number of episodes. Where
 * the task knows no success, the lowest return and the episodes that ended early (a fall) say how far it can be relied on.
 * Where the task was shown in another form, the return in that form stands beside it.
 */
export function resultTable({
  candidates,
  results,
  hasSuccess,
  asShown = [],
}: Pick<ReportData, 'candidates' | 'results' | 'hasSuccess' | 'asShown'>): string {
  const head = [
    'policy',
    ...(hasSuccess ? ['success'] : []),
    'return (mean ± sd)',
    ...(hasSuccess ? [] : ['lowest', 'ended early']),
    'episodes',
    ...(asShown.length > 0 ? [`return as shown, ${asShown[0]!.episodes.length} episodes`] : []),
  ];
  const body = results.map(({ policy, episodes }) => {
    const summary = summarise(episodes);
    const shown = asShown.find((each) => each.policy === policy);
    return [
      labelOf({ candidates }, policy),
      ...(hasSuccess ? [percent(summary.successRate)] : []),
      meanAndDeviation(summary),
      ...(hasSuccess ? [] : [figure(summary.lowest), String(summary.terminated ?? '–')]),
      String(summary.episodes),
      ...(asShown.length > 0 ? [shown === undefined ? '–' : meanAndDeviation(summarise(shown.episodes))] : []),
    ];
  });
  return textColumns([head, ...body]);
}
