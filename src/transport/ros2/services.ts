import { type ErrorCode, IqLearnError, messageOf } from '../../common/index.js';
import { otherServiceType, type PendingCall, serverGone, serviceError } from '../index.js';
import type { RclClient, RclNode } from './rclnodejs.js';

/** Interval, in milliseconds, at which a call checks whether its server is there: rclnodejs does not notify us. */
const LOOK_MS = 10;

const codes: Record<ErrorCode, true> = {
  INVALID_ARGUMENT: true,
  INVALID_CONFIG: true,
  NOT_FOUND: true,
  CORRUPT_DATA: true,
  MISMATCH: true,
  UNSUPPORTED: true,
  UNAVAILABLE: true,
  CONFLICT: true,
  IO: true,
  DIVERGED: true,
  TIMEOUT: true,
  CANCELLED: true,
  INTERNAL: true,
};

/**
 * A ROS 2 service cannot answer with an error. All of ours answer with `success` and `message`, so an error that a
 * handler throws is sent as `success: false` with the message `[CODE] text`. Any caller can read that, and
 * {@link refusalIn} turns it into an error again for callers of this package.
 */
export function refusal(service: string, cause: unknown): { success: false; message: string } {
  const error = serviceError(service, cause);
  return { success: false, message: `[${error.code}] ${error.message}` };
}

/** The error that {@link refusal} put into a response, or null. */
export function refusalIn(response: object): IqLearnError | null {
  const { success, message } = response as { success?: unknown; message?: unknown };
  if (success !== false || typeof message !== 'string') return null;
  const match = /^\[([A-Z_]+)\] (.*)$/s.exec(message);
  if (match === null || !Object.hasOwn(codes, match[1]!)) return null;
  return new IqLearnError(match[1] as ErrorCode, match[2]!);
}

/**
 * The full names of other nodes that serve it. A node with our own name is left out: it may be the one that was killed
 * before we were started in its place, which discovery shows for up to 20 s more.
 */
export function otherServers(node: RclNode, resolved: string): string[] {
  if (node.countServices(resolved) === 0) return [];
  const others: string[] = [];
  for (const { name, namespace } of node.getNodeNamesAndNamespaces()) {
    const full = `${namespace === '/' ? '' : namespace}/${name}`;
    if (full === node.getFullyQualifiedName()) continue;
    try {
      if (node.getServiceNamesAndTypesByNode(name, namespace).some((service) => service.name === resolved))
        others.push(full);
    } catch {
      // The node has left the graph since it was listed.
    }
  }
  return others;
}

/** The clients of a node's calls: one for each service and type, made at the first call and kept until `close`. */
export class Clients {
  readonly #node: RclNode;
  readonly #clients = new Map<string, RclClient>();

  constructor(node: RclNode) {
    this.#node = node;
  }

  /**
   * Sends the call to `name` (relative to the node's namespace) when its server is there, and settles it. Throws
   * MISMATCH where ROS 2 refuses a client of that type.
   */
  send(call: PendingCall, name: string): void {
    const { service, type } = call;
    const client = this.#client(service, name, type);
    const resolved = this.#node.resolveServiceName(name);
    const abort = new AbortController();
    const request = (): void => {
      call.sent();
      client.sendRequestAsync(call.request, { signal: abort.signal }).then(
        (response) => {
          const error = refusalIn(response);
          if (error === null) call.succeed(response);
          else call.fail(error);
        },
        (cause) => call.fail(serviceError(service, cause)),
      );
    };
    const look = (): void => {
      const available = client.isServiceServerAvailable();
      if (call.isSent) {
        if (!available) call.fail(serverGone(service));
      } else if (available) request();
      else {
        const other = this.#otherType(resolved, type);
        if (other !== undefined) call.fail(otherServiceType(service, type, other));
      }
    };
    const looking = setInterval(look, LOOK_MS);
    call.onSettled(() => {
      clearInterval(looking);
      abort.abort();
    });
    look();
  }

  close(): void {
    for (const client of this.#clients.values()) this.#node.destroyClient(client);
    this.#clients.clear();
  }

  #client(service: string, name: string, type: string): RclClient {
    const key = `${type} ${name}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      try {
        client = this.#node.createClient(type, name, {});
      } catch (cause) {
        throw new IqLearnError('MISMATCH', `the service ${service} cannot be called as ${type}`, {
          found: messageOf(cause),
          cause,
        });
      }
      this.#clients.set(key, client);
    }
    return client;
  }

  #otherType(resolved: string, type: string): string | undefined {
    const types = this.#node.getServiceNamesAndTypes().find(({ name }) => name === resolved)?.types ?? [];
    return types.includes(type) ? undefined : types[0];
  }
}
