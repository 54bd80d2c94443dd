import { getPriority, setPriority } from 'node:os';

const URGENT = -10;

/**
 * Goes before other processes, see nice(1), where this process may: as root, with CAP_SYS_NICE or a limit for it.
 * Threads that are started later do so too. Who started it with a priority of their own keeps that.
 */
export function goFirst(): void {
  if (getPriority() !== 0) return;
  try {
    setPriority(URGENT);
  } catch {
    // An ordinary user's process: it works, less steadily beside a busy one.
  }
}
