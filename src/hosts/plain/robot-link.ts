import { wallClockNs } from '../../common/index.js';
import { linkTopics, PolicyVerifier, RecordingSender, type RobotLinkFile, Spool } from '../../link/index.js';
import type { RobotGatewayParameters, RobotGatewayParts } from '../../nodes/index.js';
import type { Logger } from '../../platform/index.js';
import { type MqttConnection, MqttTransport, openMqtt, qos } from '../../transport/index.js';
import { logLinkError } from './link-errors.js';
import type { OpenedLink } from './link-file.js';
import { RecordingFolderSource } from './recording-source.js';

/** A robot's end of the link, opened: what its gateway is made from. */
export interface RobotLink {
  readonly parts: RobotGatewayParts;
  readonly parameters: RobotGatewayParameters;
  readonly connection: MqttConnection;
  /** Closes the connection and the spool; to be called when the gateway has been shut down. */
  close(): Promise<void>;
}

/** Sends the closed recordings in the folder that the file names; undefined where it names none. */
function recordingsOf(link: OpenedLink<RobotLinkFile>, transport: MqttTransport, logger: Logger) {
  const { robot, recordings, megabytes_per_second } = link.file;
  if (recordings === undefined) return undefined;
  const chunks = transport.advertise(linkTopics.recording.topic, 'iq_learn_link/msg/RecordingChunk', qos.event);
  const sender = new RecordingSender({
    robot,
    source: new RecordingFolderSource(link.path(recordings)),
    publish: (chunk) => chunks.publish(chunk),
    nowMs: () => performance.now(),
    say: (text) => logger.info(text),
    warn: (text) => logger.warn(text),
    bytesPerSecond: megabytes_per_second * 1024 * 1024,
  });
  transport.subscribe(
    linkTopics.recordingPosition.topic,
    'iq_learn_link/msg/RecordingPosition',
    (position) => sender.position(position),
    qos.event,
  );
  return sender;
}

/** Opens what the file of a robot's end says. The connection is made in the background. Throws as reading the file does. */
export async function openRobotEnd(link: OpenedLink<RobotLinkFile>, logger: Logger): Promise<RobotLink> {
  const { fleet, robot, policy_keys, spool: size, on_lost, lost_after_ms, megabytes_per_second } = link.file;
  for (const warning of link.warnings(Date.now())) logger.warn(warning);
  const verifier = new PolicyVerifier(
    fleet,
    policy_keys.map((path) => link.text(path)),
  );
  const mqtt = link.mqtt({ onError: (error) => logLinkError(logger, error) });
  const spool = new Spool({
    folder: link.path(size.folder),
    maxBytes: size.megabytes * 1024 * 1024,
    nowNs: wallClockNs,
    warn: (message) => logger.warn(message),
  });
  let connection: MqttConnection;
  try {
    connection = await openMqtt(mqtt);
  } catch (error) {
    spool.close();
    throw error;
  }
  const transport = new MqttTransport(connection, robot);
  const recordings = recordingsOf(link, transport, logger);
  return {
    connection,
    parts: {
      robot,
      link: transport,
      spool,
      verifier,
      ...(recordings && { recordings }),
      isLinked: () => connection.state.connected,
      onLinked: (listener) => void connection.onChange(() => connection.state.connected && listener()),
    },
    parameters: { onLost: on_lost, lostAfterMs: lost_after_ms, megabytesPerSecond: megabytes_per_second },
    close: async () => {
      await transport.close();
      await connection.end();
      spool.close();
    },
  };
}
