import type { IqLearnError } from '#src/common/index.js';
import { EmbeddedBroker } from '#src/transport/index.js';
import { transportContract } from './contract.js';

transportContract('embedded', async () => {
  const errors: IqLearnError[] = [];
  const onError = (error: IqLearnError) => errors.push(error);
  const broker = new EmbeddedBroker({ freeze: true });
  return {
    errors,
    connect: () => broker.connect({ onError }),
    ready: () => broker.idle(),
    close: () => broker.close(),
  };
});
