import type { ServiceHandler } from '../base/base-transport.js';
import { otherServiceType, secondServer, serverGone, serviceError } from '../base/errors.js';
import type { PendingCall } from '../base/pending-call.js';
import type { Scheduler } from './scheduler.js';

interface Server {
  readonly type: string;
  readonly handler: ServiceHandler;
  /** Calls that it has not answered. */
  readonly pending: Set<PendingCall>;
}

/** The services of a broker: one server each, and the calls that wait for one. */
export class Services {
  readonly #scheduler: Scheduler;
  readonly #isPartitioned: (service: string) => boolean;
  readonly #servers = new Map<string, Server>();
  readonly #waiting = new Set<PendingCall>();

  constructor(scheduler: Scheduler, isPartitioned: (service: string) => boolean) {
    this.#scheduler = scheduler;
    this.#isPartitioned = isPartitioned;
  }

  /** Returns a function that ends the service. Throws CONFLICT where it has a server. */
  serve(service: string, type: string, handler: ServiceHandler): () => void {
    if (this.#servers.has(service)) throw secondServer(service);
    const server: Server = { type, handler, pending: new Set() };
    this.#servers.set(service, server);
    for (const call of [...this.#waiting])
      if (call.service === service) {
        this.#waiting.delete(call);
        this.#dispatch(server, call);
      }
    return () => {
      if (this.#servers.get(service) !== server) return;
      this.#servers.delete(service);
      for (const call of [...server.pending]) call.fail(serverGone(service));
    };
  }

  /** Gives the call to its server, or keeps it until there is one. */
  send(call: PendingCall): void {
    const server = this.#servers.get(call.service);
    if (server !== undefined) {
      this.#dispatch(server, call);
      return;
    }
    this.#waiting.add(call);
    call.onSettled(() => this.#waiting.delete(call));
  }

  #dispatch(server: Server, call: PendingCall): void {
    if (server.type !== call.type) {
      call.fail(otherServiceType(call.service, call.type, server.type));
      return;
    }
    call.sent();
    if (this.#isPartitioned(call.service)) return;
    server.pending.add(call);
    call.onSettled(() => server.pending.delete(call));
    const answer = async (): Promise<void> => {
      try {
        call.succeed(await server.handler(call.request as never));
      } catch (cause) {
        call.fail(serviceError(call.service, cause));
      }
    };
    this.#scheduler.push({
      run: () => {
        if (server.pending.has(call)) void answer();
        return false;
      },
    });
  }
}
