import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;

export interface Vitals {
  /** Values since the last call. */
  read(): { readonly loop_lag_ms: string; readonly memory_mb: string };
  close(): void;
}

/** Measures how late the event loop runs: whatever blocks it delays the robot's commands. */
export function watchVitals(): Vitals {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  return {
    read() {
      // The histogram holds the intervals of a timer of this resolution: the lag is what exceeds it.
      const lagMs = Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
      delays.reset();
      return {
        loop_lag_ms: Number.isFinite(lagMs) ? lagMs.toFixed(1) : '0.0',
        memory_mb: (process.memoryUsage.rss() / 2 ** 20).toFixed(0),
      };
    },
    close: () => delays.disable(),
  };
}
