import { createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Client } from 'aedes';
import { IqLearnError, messageOf } from '../../common/index.js';
import { accessOf, type Fleet } from '../../link/index.js';
import type { Logger } from '../../platform/index.js';
import type { MqttCredentials } from '../../transport/index.js';

export interface BrokerOptions extends Fleet {
  /** Of the broker itself; without them it listens on this machine only, without TLS and access rules. */
  readonly credentials?: MqttCredentials;
  /** 0 takes any free port. */
  readonly port: number;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

export interface RunningBroker {
  readonly port: number;
  close(): Promise<void>;
}

/** How long a client may take to prove who it is. */
const HANDSHAKE_MS = 10_000;

/** The name in the certificate with which a client connected. */
function identityOf(socket: Socket): string {
  const name = (socket as TLSSocket).getPeerCertificate?.().subject?.CN;
  return typeof name === 'string' ? name : '';
}

/**
 * A broker to start with, in this process: aedes, which has MQTT 3.1.1 and keeps everything in memory. With credentials it
 * takes only clients with a certificate of the same authority, and each may do what {@link accessOf} permits it.
 */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { credentials, port, logger, fleet } = options;
  const { Aedes } = await import('aedes');
  const aedes = await Aedes.createBroker({ id: `iq_learn ${fleet}` });
  const permits = accessOf(options);
  const names = new WeakMap<Client, string>();
  if (credentials !== undefined) {
    aedes.preConnect = (client, _packet, done) => {
      names.set(client, identityOf(client.conn as Socket));
      done(null, true);
    };
    aedes.authorizePublish = (client, { topic }, done) => {
      const name = client === null ? '' : (names.get(client) ?? '');
      if (permits(name, 'publish', topic)) return done(null);
      logger.warn('a client may not publish there', { client: name, topic });
      done(new Error('not permitted'));
    };
    aedes.authorizeSubscribe = (client, subscription, done) => {
      const name = names.get(client) ?? '';
      if (permits(name, 'subscribe', subscription.topic)) return done(null, subscription);
      logger.warn('a client may not subscribe there', { client: name, topic: subscription.topic });
      done(null, null);
    };
  }
  const server: Server =
    credentials === undefined
      ? createPlainServer({ noDelay: true }, aedes.handle)
      : createTlsServer(
          {
            ca: credentials.authority,
            cert: credentials.certificate,
            key: credentials.key,
            requestCert: true,
            rejectUnauthorized: true,
            minVersion: 'TLSv1.3',
            handshakeTimeout: HANDSHAKE_MS,
          },
          (socket) => {
            socket.setNoDelay(true);
            aedes.handle(socket);
          },
        );
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error) => logger.warn('a client is refused', { reason: messageOf(error) }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new IqLearnError('UNAVAILABLE', `the broker cannot listen on port ${port}`, {
          found: messageOf(cause),
          expected: 'a free port',
          remedy: 'end the other broker, or use another port',
          cause,
        }),
      ),
    );
    server.listen(port, credentials === undefined ? '127.0.0.1' : undefined, resolve);
  });
  return {
    port: (server.address() as { port: number }).port,
    close: async () => {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
