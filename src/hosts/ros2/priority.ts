import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

const URGENT = -10;
const BACKGROUND = 10;

/**
 * Control goes before other processes, see nice(1), where this process may: as root, with CAP_SYS_NICE or a limit for
 * it. Threads that are started later do so too. Who started it with a priority of their own keeps that.
 */
export function goFirst(): void {
  if (getPriority() !== 0) return;
  attempt(() => setPriority(URGENT));
  // The threads that are there already are V8's, which compile and collect: woken on the core of the control thread,
  // they would take it for a few milliseconds. Every user may set them back.
  attempt(() => {
    for (const thread of readdirSync('/proc/self/task').map(Number))
      if (thread !== process.pid) setPriority(thread, BACKGROUND);
  });
}

function attempt(change: () => void): void {
  try {
    change();
  } catch {
    // No such right, or no Linux: it works, less steadily beside a busy machine.
  }
}
