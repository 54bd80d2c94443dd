import { createServer, type Server } from 'node:http';
import { IqLearnError, messageOf } from '../../common/index.js';

/** A number for Prometheus, with the labels that tell it from others of its name. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface HealthSource {
  /** What is wrong; empty if all is well. */
  problem(): string;
  gauges(): readonly Gauge[];
}

/** The gauges in Prometheus' text format. */
export function prometheus(gauges: readonly Gauge[]): string {
  const lines: string[] = [];
  const known = new Set<string>();
  for (const { name, help, value, labels = {} } of gauges) {
    if (!known.has(name)) lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
    known.add(name);
    const text = Object.entries(labels).map(([key, label]) => `${key}="${label.replace(/[\\"\n]/g, '_')}"`);
    lines.push(`${name}${text.length === 0 ? '' : `{${text.join(',')}}`} ${Number.isNaN(value) ? 'NaN' : value}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Serves /healthz (200 while all is well, else 503 with the reason) and /metrics. Throws UNAVAILABLE. */
export async function serveHealth(address: string, source: HealthSource): Promise<{ port: number; close(): void }> {
  const [host, port] = [
    address.slice(0, address.lastIndexOf(':')),
    Number(address.slice(address.lastIndexOf(':') + 1)),
  ];
  const server: Server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' || (path !== '/healthz' && path !== '/metrics')) {
      response.writeHead(404).end('GET /healthz or /metrics\n');
      return;
    }
    if (path === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(prometheus(source.gauges()));
      return;
    }
    const problem = source.problem();
    response.writeHead(problem === '' ? 200 : 503).end(problem === '' ? 'ok\n' : `${problem}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new IqLearnError('UNAVAILABLE', `health cannot be served on ${address}`, {
          found: messageOf(cause),
          expected: 'a free address as 127.0.0.1:8787',
          remedy: 'give another one with --health, or none with --health off',
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
