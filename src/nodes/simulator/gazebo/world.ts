import type { PoseReading } from '../../../simulation/index.js';

/** What is asked of a running Gazebo beside the bridged topics. Every call rejects where Gazebo refuses or is silent. */
export interface GazeboWorld {
  /** Moves a model of the world at once. Metres, world frame. */
  place(model: string, pose: PoseReading): Promise<void>;
  pause(paused: boolean): Promise<void>;
  /** Publishes one message, in protobuf's text form, on a topic of Gazebo's own. */
  publish(topic: string, type: string, text: string): Promise<void>;
}
