import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { RecordingWriter } from '../../demonstrations/index.js';
import type { RobotLinkFile } from '../../link/index.js';
import { type NodeContext, PolicyNode, RecorderNode, RobotGateway } from '../../nodes/index.js';
import { timestamp } from '../../platform/index.js';
import { readBundle } from '../../policy/index.js';
import type { OpenedLink } from './link-file.js';
import type { PreparedNode } from './plain-node.js';
import { openRobotEnd } from './robot-link.js';

export interface PlainPolicyOptions {
  /** Folder of a policy to begin with; without it the node waits for one on its topic. */
  readonly policy?: string;
  /** Whether it waits for a person to say that it may drive. */
  readonly beginPaused: boolean;
  /** Draws actions instead of taking their mean, so that there is something to learn from. */
  readonly stochastic: boolean;
  /** Milliseconds within which it must be said again that the e-stop is released; null for no such heartbeat. */
  readonly estopHeartbeatMs: number | null;
}

/** The policy node in real time: every command passes the safety filter in it. Throws what reading the policy throws. */
export async function plainPolicy(context: NodeContext, options: PlainPolicyOptions): Promise<PreparedNode> {
  const { policy, ...parameters } = options;
  const session = `${hostname()} ${process.pid} ${new Date().toISOString()}`;
  const runtime = policy === undefined ? undefined : await readBundle(policy);
  return {
    node: new PolicyNode(context, { ...parameters, pace: 'realtime', session }, runtime),
  };
}

/** The recorder, which makes a new recording in `folder`. One without a message leaves nothing. */
export async function plainRecorder(context: NodeContext, folder: string): Promise<PreparedNode> {
  const { spec, logger } = context;
  const session = `${spec.robot}-${timestamp(new Date())}`;
  const writer = await RecordingWriter.create(join(folder, session), { spec, session });
  const node = new RecorderNode(context, writer, { useSimTime: false, checkTopics: true });
  return {
    node,
    release: () => {
      const { summary } = node;
      if (summary === undefined) return;
      if (summary.messages === 0) rmSync(summary.folder, { recursive: true, force: true });
      else logger.info('recording closed', { folder: summary.folder, episodes: summary.episodes });
    },
  };
}

/** The gateway, which joins the robot's own topics with a learner elsewhere. */
export async function plainGateway(context: NodeContext, link: OpenedLink<RobotLinkFile>): Promise<PreparedNode> {
  const end = await openRobotEnd(link, context.logger);
  return { node: new RobotGateway(context, end.parts, end.parameters), release: () => end.close() };
}
