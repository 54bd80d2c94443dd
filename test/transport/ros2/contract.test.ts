import { transportContract } from '../../conformance/transport/contract.js';
import { Nodes, ownDomain } from './support.js';

ownDomain();

transportContract('ros2, two nodes in one process', async () => {
  const nodes = new Nodes();
  return {
    errors: nodes.errors,
    connect: async () => (await nodes.started()).transport,
    ready: () => nodes.ready(),
    close: () => nodes.close(),
  };
});
