/** A frame's name as tf2 compares it: a slash at its beginning, as ROS 1 wrote it, does not count. */
export function plainFrame(frame: string): string {
  return frame.startsWith('/') ? frame.slice(1) : frame;
}

/** Whether a frame is the expected one, or that under the namespace of the robot. */
export function framesAgree(given: string, expected: string, prefix?: string): boolean {
  const plain = plainFrame(given);
  const wanted = plainFrame(expected);
  return plain === wanted || (prefix !== undefined && plain === `${prefix}/${wanted}`);
}
