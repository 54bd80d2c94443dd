import { count, duration, figure, percent } from '../report/index.js';

/** How far a long piece of work is. Fields that are not known yet are left out. */
export interface Progress {
  /** Name of the phase, for example 'learning'. */
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** What `done` and `total` count: 'steps', 'episodes'. */
  readonly unit: string;
  readonly perSecond?: number;
  readonly return?: number;
  readonly success?: number;
  /** Of the newest policy that was compared with the demonstrations from these: 0 where it does the same. */
  readonly distance?: number;
  readonly criticLoss?: number;
  readonly actorLoss?: number;
  readonly rewardExpert?: number;
  readonly rewardPolicy?: number;
  /** Returns of the last episodes, oldest first; they are drawn as a sparkline. */
  readonly returns?: readonly number[];
  readonly rewards?: readonly number[];
}

const BLOCKS = '▁▂▃▄▅▆▇█';

/** The last `width` values as block characters, scaled between the smallest and the largest of them. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.filter(Number.isFinite).slice(-width);
  const low = Math.min(...shown);
  const span = Math.max(...shown) - low;
  return shown.map((value) => BLOCKS[span > 0 ? Math.round((7 * (value - low)) / span) : 3]).join('');
}

/** Seconds until `total` is reached at the rate so far, 0 past it (a last segment is whole); undefined without a rate. */
export function secondsLeft({ done, total, perSecond }: Progress): number | undefined {
  return perSecond !== undefined && perSecond > 0 ? Math.max(0, total - done) / perSecond : undefined;
}

const shown = (value: number | undefined, format: (value: number) => string = figure): string =>
  value === undefined ? '…' : format(value);

/** Progress as one line, for a log or a pipe. */
export function progressLine(progress: Progress): string {
  const { phase, done, total, unit, perSecond } = progress;
  const left = secondsLeft(progress);
  const parts = [
    `${phase}: ${count(done)} of ${count(total)} ${unit}`,
    perSecond === undefined ? undefined : `${figure(perSecond)} ${unit}/s`,
    left === undefined ? undefined : `${duration(left)} left`,
    progress.return === undefined ? undefined : `return ${figure(progress.return)}`,
    progress.success === undefined ? undefined : `success ${percent(progress.success)}`,
    progress.distance === undefined ? undefined : `distance from the demonstrations ${progress.distance.toFixed(3)}`,
    progress.criticLoss === undefined ? undefined : `critic loss ${figure(progress.criticLoss)}`,
    progress.actorLoss === undefined ? undefined : `actor loss ${figure(progress.actorLoss)}`,
    progress.rewardExpert === undefined
      ? undefined
      : `recovered reward: expert ${figure(progress.rewardExpert)}, policy ${shown(progress.rewardPolicy)}`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

/** Progress as the lines of the live panel, each at most `width` characters long. */
export function panel(progress: Progress, width: number): string[] {
  const { phase, done, total, unit, perSecond } = progress;
  const fraction = total > 0 ? Math.min(1, done / total) : 0;
  const barWidth = Math.max(10, Math.min(40, width - 50));
  const filled = Math.round(fraction * barWidth);
  const left = secondsLeft(progress);
  const head = [
    phase.padEnd(12),
    `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`,
    percent(fraction).padStart(6),
    perSecond === undefined ? '' : `${figure(perSecond)} ${unit}/s`,
    left === undefined ? '' : `${duration(left)} left`,
  ].join('  ');
  const lines = [head];
  const chart = Math.max(0, Math.min(40, width - 44));
  if (progress.return !== undefined)
    lines.push(
      `  return ${shown(progress.return).padStart(8)}${progress.success === undefined ? '' : `   success ${percent(progress.success).padStart(6)}`}   ${sparkline(progress.returns ?? [], chart)}`,
    );
  if (progress.distance !== undefined) lines.push(`  distance from the demonstrations ${progress.distance.toFixed(3)}`);
  if (progress.criticLoss !== undefined)
    lines.push(
      `  critic loss ${shown(progress.criticLoss).padStart(8)}   actor loss ${shown(progress.actorLoss).padStart(8)}`,
    );
  if (progress.rewardExpert !== undefined)
    lines.push(
      `  recovered reward   expert ${shown(progress.rewardExpert).padStart(7)}   policy ${shown(progress.rewardPolicy).padStart(7)}`,
    );
  return lines.map((line) => line.trimEnd().slice(0, width));
}
