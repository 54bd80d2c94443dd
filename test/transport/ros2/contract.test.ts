import { transportContract } from '../../conformance/transport/contract.js';
import { describeWithRos } from '../../support/ros.js';
import { Nodes } from './support.js';

describeWithRos('ros2 transport', () =>
  transportContract('ros2, two nodes in one process', async () => {
    const nodes = new Nodes();
    return {
      errors: nodes.errors,
      connect: async () => (await nodes.started()).transport,
      ready: () => nodes.ready(),
      close: () => nodes.close(),
    };
  }),
);
