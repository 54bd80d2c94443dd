import { createServer } from 'node:net';
import { steadyClock } from '../../common/index.js';
import { PolicySigner } from '../../link/index.js';
import { LearnerGateway, type NodeContext, RobotGateway } from '../../nodes/index.js';
import type { Logger } from '../../platform/index.js';
import type { RobotSpec } from '../../robot/index.js';
import { EmbeddedBroker, type MqttConnection, MqttTransport, openMqtt, type Transport } from '../../transport/index.js';
import { type RunningBroker, startBroker } from './broker.js';
import { compareLedgers, Ledger } from './ledger.js';
import { openLearnerLink, openRobotLink } from './link-file.js';
import { initLink } from './link-init.js';
import { openRobotEnd, type RobotLink } from './robot-link.js';

const ROBOT = 'robot-1';
const CONNECT_MS = 15_000;
/** How long what is under way may take at the end. */
const SETTLE_MS = 15_000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * A whole link on this machine: a broker with TLS, and both ends with their certificates, as on two machines. The robot's
 * topics and the learner's are apart, and only the link joins them.
 */
export class LoopbackLink {
  /** The robot's own topics. */
  readonly broker = new EmbeddedBroker();
  readonly url: string;
  readonly #host = new EmbeddedBroker();
  readonly learnerTransport: Transport = this.#host.connect();
  readonly #mqtt: RunningBroker;
  readonly #robotEnd: RobotLink;
  readonly #connection: MqttConnection;
  readonly #learnerEnd: MqttTransport;
  readonly #ledgers: { readonly robot: Ledger; readonly learner: Ledger };
  readonly #gateways: { readonly robot: RobotGateway; readonly learner: LearnerGateway };

  private constructor(
    url: string,
    mqtt: RunningBroker,
    robotEnd: RobotLink,
    connection: MqttConnection,
    make: { readonly signer: PolicySigner; readonly spec: RobotSpec; readonly logger: (node: string) => Logger },
  ) {
    this.url = url;
    this.#mqtt = mqtt;
    this.#robotEnd = robotEnd;
    this.#connection = connection;
    this.#learnerEnd = new MqttTransport(connection, ROBOT);
    this.#ledgers = { robot: new Ledger(this.broker.connect()), learner: new Ledger(this.#host.connect()) };
    const { signer, spec, logger } = make;
    const context = (node: string, transport: Transport): NodeContext => ({
      transport,
      spec,
      clock: steadyClock,
      logger: logger(node),
    });
    const { parts, parameters } = robotEnd;
    this.#gateways = {
      robot: new RobotGateway(context('robot gateway', this.broker.connect()), parts, {
        ...parameters,
        megabytesPerSecond: 100,
        gatherMs: 0,
      }),
      learner: new LearnerGateway(context('learner gateway', this.#host.connect()), {
        robot: ROBOT,
        link: this.#learnerEnd,
        signer,
      }),
    };
    for (const gateway of Object.values(this.#gateways)) gateway.configure();
    for (const gateway of Object.values(this.#gateways)) gateway.activate();
  }

  /** Makes keys and certificates in `folder`, and joins both ends. Throws UNAVAILABLE where openssl is missing. */
  static async open(spec: RobotSpec, folder: string, logger: (node: string) => Logger): Promise<LoopbackLink> {
    const port = await freePort();
    const url = `mqtts://127.0.0.1:${port}`;
    const fleet = { fleet: 'demo', robots: [ROBOT] };
    initLink({ ...fleet, folder, broker: url });
    const learner = openLearnerLink(`${folder}/learner.yaml`);
    const credentials = {
      authority: learner.text('broker/authority.crt'),
      certificate: learner.text('broker/broker.crt'),
      key: learner.text('broker/broker.key'),
    };
    const broker = await startBroker({ ...fleet, credentials, port, logger: logger('broker') });
    let robotEnd: RobotLink | undefined;
    let connection: MqttConnection | undefined;
    try {
      const log = logger('link');
      robotEnd = await openRobotEnd(openRobotLink(`${folder}/${ROBOT}.yaml`), log);
      connection = await openMqtt(learner.mqtt({ onError: (error) => log.warn(error.message, { code: error.code }) }));
      await Promise.all([robotEnd.connection.connected(CONNECT_MS), connection.connected(CONNECT_MS)]);
      const signer = new PolicySigner(fleet.fleet, learner.text(learner.file.policy_key));
      return new LoopbackLink(url, broker, robotEnd, connection, { signer, spec, logger });
    } catch (error) {
      await robotEnd?.close();
      await connection?.end();
      await broker.close();
      throw error;
    }
  }

  /** What went over the link, in a sentence. */
  summary(): string {
    const { records, repeated, refused } = this.#gateways.learner.view;
    const { protocol } = this.#connection.state;
    return `over the link (MQTT ${protocol}): ${records} records, ${repeated} came again, ${refused} refused`;
  }

  /** Compares the transitions of both ends. Rejects with MISMATCH where they are not the same. */
  async compare(): Promise<string> {
    return await compareLedgers(this.#ledgers.robot, this.#ledgers.learner, SETTLE_MS);
  }

  async close(): Promise<void> {
    await this.#gateways.robot.shutdown();
    await this.#gateways.learner.shutdown();
    await this.#robotEnd.close();
    await this.#learnerEnd.close();
    await this.#connection.end();
    await this.#mqtt.close();
    await this.broker.close();
    await this.#host.close();
  }
}
