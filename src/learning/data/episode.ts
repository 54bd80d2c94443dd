/** An episode as learning takes it: n steps, n + 1 observations in the robot's units, actions in [−1, 1]. */
export interface Episode {
  readonly length: number;
  /** [(n + 1) × o] row-major. */
  readonly observations: Float32Array;
  /** [n × a] row-major; one-hot where actions are discrete. */
  readonly actions: Float32Array;
  /** The last next-observation is a true terminal state. */
  readonly terminated: boolean;
}
