import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;

export interface Vitals {
  /** Since it was last asked. */
  read(): { readonly loop_lag_ms: string; readonly memory_mb: string };
  close(): void;
}

/** How late the event loop runs: what blocks it blocks the robot. */
export function watchVitals(): Vitals {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  return {
    read() {
      // A timer of the resolution is watched: what is above it is lag.
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
