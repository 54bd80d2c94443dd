import { readFileSync } from 'node:fs';
import type { Figure } from './harness.js';

/** The number of ticks per second in which /proc counts (USER_HZ). It is 100 on every Linux that Node.js runs on. */
const TICKS = 100;

interface Sample {
  readonly wall: number;
  /** The CPU time in seconds of the whole machine, and of this process with the children that it has waited for. */
  readonly all: number;
  readonly own: number;
}

function sample(): Sample | undefined {
  try {
    // user nice system idle iowait irq softirq steal: all but idle and iowait is work, ours or somebody's.
    const machine = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.trim().split(/\s+/).slice(1).map(Number);
    const busy = machine.slice(0, 8).reduce((sum, ticks, i) => sum + (i === 3 || i === 4 ? 0 : ticks), 0);
    // After the command's name, which may hold spaces: utime, stime, cutime, cstime are fields 14 to 17.
    const self = readFileSync('/proc/self/stat', 'utf8');
    const fields = self
      .slice(self.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number);
    return { wall: performance.now() / 1000, all: busy / TICKS, own: fields.reduce((sum, t) => sum + t, 0) / TICKS };
  } catch {
    return undefined; // no Linux: the figure is left out
  }
}

/**
 * Measures how busy the rest of the machine was during a run. Figures of time count only where that is next to nothing.
 * Child processes count as the bench's own once they have ended, so this must be asked after their end.
 */
export function watchLoad(): () => Figure[] {
  const before = sample();
  return () => {
    const after = sample();
    if (before === undefined || after === undefined) return [];
    const others = Math.max(0, after.all - before.all - (after.own - before.own));
    return [
      {
        name: 'CPU taken by others',
        value: others / (after.wall - before.wall),
        unit: 'cores',
        note: 'mean over the run, kernel included; times count where it is below 0.1',
      },
    ];
  };
}
