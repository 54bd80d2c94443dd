import { machine, versions, writeFileAtomic } from '../platform/index.js';
import { type PolicyResult, summarise } from '../report/index.js';

/** One measured number. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly note?: string;
}

/** Writes the file of --json: the figures, and what is needed to judge them and to measure them again. */
export function writeFigures(file: string, name: string, command: string, figures: readonly Figure[]): void {
  const content = { name, command, figures, machine: machine(), versions: versions(), date: new Date().toISOString() };
  writeFileAtomic(file, `${JSON.stringify(content, null, 2)}\n`);
}

/** The returns of policies in the task as it was shown. */
export function shownFigures(results: readonly PolicyResult[]): Figure[] {
  return results.map(({ policy, episodes }) => ({
    name: `${policy}/return_as_shown`,
    value: summarise(episodes).mean,
    unit: 'return',
    note: `${episodes.length} episodes of the task as it was shown, from fresh starts`,
  }));
}

/** The figures of evaluated policies: success, where the task defines it, and return. */
export function resultFigures(results: readonly PolicyResult[], hasSuccess: boolean): Figure[] {
  return results.flatMap(({ policy, episodes }) => {
    const { mean, deviation, lowest, terminated, successRate, successInterval } = summarise(episodes);
    const note = `${episodes.length} episodes from fresh starts`;
    const [low, high] = successInterval.map((value) => value.toFixed(3));
    return [
      { name: `${policy}/return`, value: mean, unit: 'return', note },
      { name: `${policy}/return_sd`, value: deviation, unit: 'return', note },
      { name: `${policy}/return_lowest`, value: lowest, unit: 'return', note },
      ...(terminated === undefined
        ? []
        : [{ name: `${policy}/terminated`, value: terminated, unit: 'episodes', note: 'ended in a terminal state' }]),
      ...(hasSuccess
        ? [
            {
              name: `${policy}/success`,
              value: successRate,
              unit: 'ratio',
              note: `${note}; 95 % interval ${low}…${high}`,
            },
          ]
        : []),
    ];
  });
}
