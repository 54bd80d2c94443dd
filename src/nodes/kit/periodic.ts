import type { SteadyClock } from '../../common/index.js';

/**
 * Calls `tick` at a fixed rate on the steady clock until closed. Ticks do not drift and never queue: those whose time had
 * passed before they could run are skipped, and their number is passed as `missed`.
 */
export function startPeriodic(clock: SteadyClock, periodNs: bigint, tick: (missed: number) => void): { close(): void } {
  let due = clock.nowNs() + periodNs;
  let timer: NodeJS.Timeout;
  const schedule = (): void => {
    timer = setTimeout(run, Math.max(0, Number(due - clock.nowNs()) / 1e6));
  };
  const run = (): void => {
    const now = clock.nowNs();
    if (now >= due) {
      const missed = (now - due) / periodNs;
      due += (missed + 1n) * periodNs;
      tick(Number(missed));
    }
    schedule();
  };
  schedule();
  return { close: () => clearTimeout(timer) };
}
