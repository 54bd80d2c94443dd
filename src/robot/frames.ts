/** A frame's name as tf2 compares it: a slash at its beginning, as ROS 1 wrote it, does not count. */
export function plainFrame(frame: string): string {
  return frame.startsWith('/') ? frame.slice(1) : frame;
}

/** Whether two names mean the same frame. */
export function framesAgree(a: string, b: string): boolean {
  return plainFrame(a) === plainFrame(b);
}
