/** A frame's name as tf2 compares it: a slash at its beginning, as ROS 1 wrote it, does not count. */
export function plainFrame(frame: string): string {
  return frame.startsWith('/') ? frame.slice(1) : frame;
}

/**
 * The names that a frame may have: its own, and those under the namespace of the robot. Of a nested one the last parts do,
 * too: of /fleet/bot1 most programs write bot1/odom.
 */
export function frameNames(frame: string, prefix?: string): string[] {
  const wanted = plainFrame(frame);
  const parts = prefix === undefined ? [] : prefix.split('/');
  return [wanted, ...parts.map((_, i) => `${parts.slice(i).join('/')}/${wanted}`)];
}

/** Whether a frame is the expected one, or that under the namespace of the robot. */
export function framesAgree(given: string, expected: string, prefix?: string): boolean {
  const plain = plainFrame(given);
  return plain === plainFrame(expected) || (prefix !== undefined && frameNames(expected, prefix).includes(plain));
}
