/** Metrics by name: `rollout/ep_rew_mean`, `train/critic_loss`. */
export type MetricValues = Readonly<Record<string, number>>;

/** What was measured up to one step of a run. */
export interface MetricsRow {
  /** Own steps of the policy (environment steps) so far: the horizontal axis of every curve. */
  readonly step: number;
  /** When it was measured: seconds since 1970. */
  readonly wallSeconds: number;
  readonly values: MetricValues;
}

/** One place that metrics are written to. Both methods throw what the file system throws. */
export interface MetricsSink {
  write(row: MetricsRow): void;
  close(): void;
}

/** The name under which files of rows hold the step. */
export const STEP_NAME = 'time/total_timesteps';
