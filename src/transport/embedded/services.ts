import { IqLearnError } from '../../common/index.js';
import { serviceError } from '../shared.js';
import type { Scheduler } from './scheduler.js';

export type ServiceHandler = (request: never) => Promise<unknown>;

interface Server {
  readonly type: string;
  readonly handler: ServiceHandler;
  readonly pending: Set<Call>;
}

interface Call {
  readonly service: string;
  readonly type: string;
  readonly request: unknown;
  /** Only the first of these counts. */
  readonly settle: (error: IqLearnError | null, response?: unknown) => void;
}

/** Services of a broker: one server each, calls that wait for one. */
export class Services {
  readonly #scheduler: Scheduler;
  readonly #isPartitioned: (service: string) => boolean;
  readonly #servers = new Map<string, Server>();
  readonly #waiting = new Set<Call>();

  constructor(scheduler: Scheduler, isPartitioned: (service: string) => boolean) {
    this.#scheduler = scheduler;
    this.#isPartitioned = isPartitioned;
  }

  /** Returns what ends it. */
  serve(service: string, type: string, handler: ServiceHandler): () => void {
    if (this.#servers.has(service))
      throw new IqLearnError('CONFLICT', `the service ${service} has a server already`, {
        expected: 'one server a service',
        remedy: 'close the other one first',
      });
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
      for (const call of server.pending)
        call.settle(new IqLearnError('UNAVAILABLE', `the server of ${service} went away`, { remedy: 'call again' }));
    };
  }

  call(
    service: string,
    type: string,
    request: unknown,
    timeoutMs: number,
  ): { readonly response: Promise<unknown>; readonly cancel: (reason: IqLearnError) => void } {
    let call!: Call;
    const response = new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        const unserved = this.#waiting.has(call);
        call.settle(
          new IqLearnError(
            unserved ? 'UNAVAILABLE' : 'TIMEOUT',
            unserved ? `the service ${service} has no server` : `the service ${service} did not answer`,
            { found: `nothing within ${timeoutMs} ms` },
          ),
        );
      }, timeoutMs);
      const settle = (error: IqLearnError | null, answer?: unknown): void => {
        clearTimeout(timer);
        this.#waiting.delete(call);
        if (error === null) resolve(answer);
        else reject(error);
      };
      call = { service, type, request, settle };
      const server = this.#servers.get(service);
      if (server === undefined) this.#waiting.add(call);
      else this.#dispatch(server, call);
    });
    return { response, cancel: (reason) => call.settle(reason) };
  }

  #dispatch(server: Server, call: Call): void {
    if (server.type !== call.type) {
      call.settle(
        new IqLearnError('MISMATCH', `the service ${call.service} has another type`, {
          found: call.type,
          expected: server.type,
        }),
      );
      return;
    }
    if (this.#isPartitioned(call.service)) return;
    server.pending.add(call);
    const answer = async (): Promise<void> => {
      try {
        call.settle(null, await server.handler(call.request as never));
      } catch (cause) {
        call.settle(serviceError(call.service, cause));
      } finally {
        server.pending.delete(call);
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
