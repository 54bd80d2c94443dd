/** A position and an orientation that a sensor gives. */
export interface PoseReading {
  /** Metres, in the odometry or world frame. */
  readonly position: readonly [number, number, number];
  /** Unit quaternion: x, y, z, w. */
  readonly orientation: readonly [number, number, number, number];
}

/** How fast a body moves and turns, with both vectors in the same frame. */
export interface TwistReading {
  /** m/s */
  readonly linear: readonly [number, number, number];
  /** rad/s */
  readonly angular: readonly [number, number, number];
}

/** What a robot's sensors measure at one instant. A simulated task gives it; {@link readingsToMessages} makes ROS messages of it. */
export interface SensorReadings {
  readonly joints?: {
    readonly names: readonly string[];
    /** rad or m */
    readonly position: Float64Array;
    /** rad/s or m/s */
    readonly velocity: Float64Array;
    /** N·m or N */
    readonly effort: Float64Array;
  };
  readonly odometry?: {
    readonly pose: PoseReading;
    /** In the body frame: m/s. */
    readonly linear: readonly [number, number, number];
    /** In the body frame: rad/s. */
    readonly angular: readonly [number, number, number];
  };
  readonly scan?: {
    /** Radians. */
    readonly angleMin: number;
    /** Radians between two beams. */
    readonly angleIncrement: number;
    /** Metres. */
    readonly rangeMin: number;
    /** Metres. */
    readonly rangeMax: number;
    /** Metres; +Infinity where nothing is hit (REP 117). */
    readonly ranges: Float32Array;
  };
  /** By topic name without slash: goal_pose, object_pose, tool_pose. */
  readonly poses?: Readonly<Record<string, PoseReading>>;
  /** By topic name without slash, in the frame of the topic's header. */
  readonly twists?: Readonly<Record<string, TwistReading>>;
}
