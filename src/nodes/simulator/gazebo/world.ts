import type { PoseReading } from '../../../simulation/index.js';

/** Requests to a running Gazebo that no bridged topic covers. A call rejects if Gazebo refuses or does not answer. */
export interface GazeboWorld {
  /** Places a model of the world. Metres, world frame. */
  place(model: string, pose: PoseReading): Promise<void>;
  pause(paused: boolean): Promise<void>;
  /** Publishes one message, in protobuf's text form, on a topic of Gazebo's own. */
  publish(topic: string, type: string, text: string): Promise<void>;
}
