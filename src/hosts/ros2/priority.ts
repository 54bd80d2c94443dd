import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

const URGENT = -10;
const BACKGROUND = 10;

/**
 * Raises the priority of this process (see nice(1)) where that is permitted: to root, with CAP_SYS_NICE, or by a resource
 * limit. Threads that start later inherit it. A priority that the process was started with is kept.
 */
export function goFirst(): void {
  if (getPriority() !== 0) return;
  attempt(() => setPriority(URGENT));
  // The threads that exist already are V8's, for compilation and garbage collection. On the core of the control thread
  // they would delay it by a few milliseconds, so their priority is lowered, which needs no permission.
  attempt(() => {
    for (const thread of readdirSync('/proc/self/task').map(Number))
      if (thread !== process.pid) setPriority(thread, BACKGROUND);
  });
}

function attempt(change: () => void): void {
  try {
    change();
  } catch {
    // Not permitted, or not on Linux: control works, with more jitter on a busy machine.
  }
}
