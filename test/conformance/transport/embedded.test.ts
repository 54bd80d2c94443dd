import { MessageChannel } from 'node:worker_threads';
import type { IqLearnError } from '#src/common/index.js';
import { createEmbeddedBroker } from '#src/transport/embedded/index.js';
import { connectEmbedded } from '#src/transport/embedded/port-client.js';
import type { Transport } from '#src/transport/index.js';
import { transportContract } from './contract.js';

transportContract('embedded in one thread', async () => {
  const errors: IqLearnError[] = [];
  const onError = (error: IqLearnError) => errors.push(error);
  const broker = createEmbeddedBroker({ freeze: true });
  return {
    errors,
    connect: () => broker.connect({ onError }),
    ready: () => broker.idle(),
    close: () => broker.close(),
  };
});

transportContract('embedded over a MessagePort', async () => {
  const errors: IqLearnError[] = [];
  const onError = (error: IqLearnError) => errors.push(error);
  const broker = createEmbeddedBroker({ freeze: true });
  const transports: Transport[] = [];
  broker.connect().serve('/ready', 'std_srvs/srv/Trigger', async () => ({ success: true, message: '' }));
  return {
    errors,
    connect: () => {
      const { port1, port2 } = new MessageChannel();
      broker.attach(port1, { onError });
      const transport = connectEmbedded(port2, { onError });
      transports.push(transport);
      return transport;
    },
    // Ports keep the order: with the first answers the broker knows all, with the second all know what that brought.
    ready: async () => {
      for (let i = 0; i < 2; i++) {
        const call = (transport: Transport) =>
          transport.call('/ready', 'std_srvs/srv/Trigger', {}, { timeoutMs: 60_000 });
        await Promise.allSettled(transports.map(call)); // those that are closed refuse
        await broker.idle();
      }
    },
    close: async () => {
      await Promise.all(transports.map((transport) => transport.close()));
      await broker.close();
    },
  };
});
