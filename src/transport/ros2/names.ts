/** Shared by every robot of a graph. */
const globalTopics = new Set(['/clock', '/diagnostics']);

/**
 * The ROS name of a topic of ours: relative to the node's namespace, so that namespaces and remaps work and two robots
 * live in one graph. `/cmd_vel` → `cmd_vel`.
 */
export function rosTopic(topic: string): string {
  return globalTopics.has(topic) ? topic : topic.slice(1);
}

/** The ROS name of a service of ours: a node's own (`/<nodeName>/x`) is private and follows `__node:=`. */
export function rosService(service: string, nodeName: string): string {
  const own = `/${nodeName}/`;
  return service.startsWith(own) ? `~/${service.slice(own.length)}` : service.slice(1);
}

/**
 * Whether the parameters that a file or the command line gives for `pattern` are for this node, by the rules of ROS 2:
 * `*` is one part of a full name, `**` any number of them.
 */
export function isForNode(pattern: string, fullName: string): boolean {
  const text = (pattern.startsWith('/') ? pattern : `/${pattern}`)
    .replaceAll('/**', '(/\\w+)★')
    .replaceAll('/*', '(/\\w+)')
    .replaceAll('★', '*');
  return new RegExp(`^${text}$`).test(fullName);
}
