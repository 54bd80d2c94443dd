import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import type { IqLearnError } from '#src/common/index.js';
import { connectEmbedded, createEmbeddedBroker } from '#src/transport/index.js';
import { transportContract } from './contract.js';

transportContract('embedded in one thread', async () => {
  const errors: IqLearnError[] = [];
  const onError = (error: IqLearnError) => errors.push(error);
  const broker = createEmbeddedBroker({ freeze: true });
  return {
    errors,
    connect: () => broker.connect({ onError }),
    ready: () => sleep(5),
    close: () => broker.close(),
  };
});

transportContract('embedded over a MessagePort', async () => {
  const errors: IqLearnError[] = [];
  const onError = (error: IqLearnError) => errors.push(error);
  const broker = createEmbeddedBroker({ freeze: true });
  const transports: { close(): Promise<void> }[] = [];
  return {
    errors,
    connect: () => {
      const { port1, port2 } = new MessageChannel();
      broker.attach(port1, { onError });
      const transport = connectEmbedded(port2, { onError });
      transports.push(transport);
      return transport;
    },
    ready: () => sleep(40),
    close: async () => {
      await Promise.all(transports.map((transport) => transport.close()));
      await broker.close();
    },
  };
});
