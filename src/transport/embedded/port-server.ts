import type { MessagePort } from 'node:worker_threads';
import { IqLearnError, packError, unpackError } from '../../common/index.js';
import { serviceError } from '../shared.js';
import { type Closable, defaultQos, type Publisher } from '../transport.js';
import type { Participant } from './participant.js';
import { type Answer, compacted, type FromBroker, type ToBroker } from './port-protocol.js';

interface PendingAnswer {
  resolve(response: never): void;
  reject(error: IqLearnError): void;
}

/** The broker's end of a port: what the far thread asks for is done by a participant here. */
export function servePort(participant: Participant, port: MessagePort): Closable {
  const publishers = new Map<number, Publisher<never>>();
  const subscriptions = new Map<number, Closable & { grant(count: number): void }>();
  const servers = new Map<number, Closable>();
  const pending = new Map<number, PendingAnswer>();
  let calls = 0;
  let closed = false;
  const send = (message: FromBroker): void => {
    if (!closed) port.postMessage(message);
  };

  const finish = (): void => {
    if (closed) return;
    closed = true;
    void participant.close();
    for (const { reject } of pending.values())
      reject(new IqLearnError('UNAVAILABLE', 'the server went away', { remedy: 'call again' }));
    pending.clear();
    port.close();
  };

  const call = async (asked: ToBroker & { op: 'call' }): Promise<void> => {
    let answer: Answer;
    try {
      const { service, type, request, timeoutMs } = asked;
      answer = { response: await participant.call(service, type, request as never, { timeoutMs }) };
    } catch (cause) {
      answer = { error: packError(serviceError(asked.service, cause)) };
    }
    send({ op: 'answer', id: asked.id, answer });
  };

  const serve = ({ id, service, type }: ToBroker & { op: 'serve' }): Closable =>
    participant.serve(
      service,
      type,
      (request) =>
        new Promise<never>((resolve, reject) => {
          const own = calls++;
          pending.set(own, { resolve, reject });
          send({ op: 'request', id, call: own, request });
        }),
    );

  const subscribe = (asked: ToBroker & { op: 'subscribe' }): void => {
    const { id, topic, type, qos } = asked;
    // As many messages on their way as the far end would keep: what it has not handled waits here, where old ones can go.
    const window = qos?.depth ?? defaultQos.depth;
    const handler = (message: never, { receivedNs }: { receivedNs: bigint }): void =>
      send({ op: 'message', id, message: compacted(message), receivedNs });
    subscriptions.set(id, participant.subscribeWindowed(topic, type, handler, qos, window));
  };

  const take = (asked: ToBroker): void => {
    switch (asked.op) {
      case 'advertise':
        publishers.set(asked.id, participant.advertise(asked.topic, asked.type, asked.qos));
        break;
      case 'publish':
        publishers.get(asked.id)?.publish(asked.message as never);
        break;
      case 'subscribe':
        subscribe(asked);
        break;
      case 'handled':
        subscriptions.get(asked.id)?.grant(asked.count);
        break;
      case 'serve':
        servers.set(asked.id, serve(asked));
        break;
      case 'call':
        void call(asked);
        break;
      case 'answer': {
        const waiting = pending.get(asked.call);
        pending.delete(asked.call);
        if ('error' in asked.answer) waiting?.reject(unpackError(asked.answer.error));
        else waiting?.resolve(asked.answer.response as never);
        break;
      }
      case 'end':
        for (const map of [publishers, subscriptions, servers]) {
          map.get(asked.id)?.close();
          map.delete(asked.id);
        }
        break;
      case 'close':
        send({ op: 'closed' });
        finish();
        break;
    }
  };

  port.on('message', (asked: ToBroker) => {
    if (closed) return;
    try {
      take(asked);
    } catch (cause) {
      const error = packError(serviceError('the broker', cause));
      send({ op: 'failed', id: 'id' in asked ? asked.id : null, error });
    }
  });
  port.on('close', finish);
  return { close: finish };
}
