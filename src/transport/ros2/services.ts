import { type ErrorCode, IqLearnError, messageOf } from '../../common/index.js';
import { serviceError } from '../index.js';
import type { RclClient, RclNode } from './rclnodejs.js';

/** How often a call under way looks whether its server is there. */
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
 * ROS 2's services answer or do not: they carry no errors. All of ours answer with `success` and `message`, so what a
 * handler throws becomes success false and the message `[CODE] text`: readable for any caller, an error again for ours.
 */
export function refusal(service: string, cause: unknown): { success: false; message: string } {
  const error = serviceError(service, cause);
  return { success: false, message: `[${error.code}] ${error.message}` };
}

/** The error in a response, or null. */
export function refusalIn(response: object): IqLearnError | null {
  const { success, message } = response as { success?: unknown; message?: unknown };
  if (success !== false || typeof message !== 'string') return null;
  const match = /^\[([A-Z_]+)\] (.*)$/s.exec(message);
  if (match === null || !Object.hasOwn(codes, match[1]!)) return null;
  return new IqLearnError(match[1] as ErrorCode, match[2]!);
}

/**
 * Other nodes that serve it. One that has our own name is left out: for as long as it takes discovery to miss it (20 s)
 * it may be what was killed before we were started in its place.
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
      // It has left meanwhile.
    }
  }
  return others;
}

/** Calls that wait for servers and answers; one client a service. */
export class Calls {
  readonly #node: RclNode;
  readonly #clients = new Map<string, RclClient>();
  readonly #cancels = new Set<(reason: IqLearnError) => void>();

  constructor(node: RclNode) {
    this.#node = node;
  }

  call(service: string, name: string, type: string, request: object, timeoutMs: number): Promise<object> {
    const client = this.#client(service, name, type);
    const resolved = this.#node.resolveServiceName(name);
    return new Promise((resolve, reject) => {
      const abort = new AbortController();
      let sent = false;
      const settle = (error: IqLearnError | null, response?: object): void => {
        clearTimeout(timer);
        clearInterval(looking);
        if (!this.#cancels.delete(cancel)) return;
        if (error === null) resolve(response!);
        else reject(error);
        abort.abort();
      };
      const cancel = (reason: IqLearnError): void => settle(reason);
      const send = (): void => {
        sent = true;
        client.sendRequestAsync(request, { signal: abort.signal }).then(
          (response) => settle(refusalIn(response), response),
          (cause) => settle(serviceError(service, cause)),
        );
      };
      const look = (): void => {
        const available = client.isServiceServerAvailable();
        if (sent && !available)
          settle(new IqLearnError('UNAVAILABLE', `the server of ${service} went away`, { remedy: 'call again' }));
        else if (!sent && available) send();
        else if (!sent) {
          const other = this.#otherType(resolved, type);
          if (other !== undefined)
            settle(
              new IqLearnError('MISMATCH', `the service ${service} has another type`, { found: type, expected: other }),
            );
        }
      };
      const timer = setTimeout(() => {
        const found = { found: `nothing within ${timeoutMs} ms` };
        settle(
          sent
            ? new IqLearnError('TIMEOUT', `the service ${service} did not answer`, found)
            : new IqLearnError('UNAVAILABLE', `the service ${service} has no server`, found),
        );
      }, timeoutMs);
      const looking = setInterval(look, LOOK_MS);
      this.#cancels.add(cancel);
      look();
    });
  }

  close(): void {
    for (const cancel of [...this.#cancels])
      cancel(new IqLearnError('CANCELLED', 'the transport was closed during the call'));
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
