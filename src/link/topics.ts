import type { TopicLimits } from '../transport/index.js';

/**
 * What travels over the link, as topics of one robot: `iq_learn/<fleet>/<robot>/<topic>`. `by` says which end publishes;
 * the access rules of the broker are made from this table. Takeover, teleoperation, e-stop and commands are not in it and
 * never will be: what must work within milliseconds does not go over a network that may stop (docs/link.md).
 */
export const linkTopics = {
  /** What must not get lost, in order: transitions, interventions, episode events. */
  stream: { topic: '/stream', by: 'robot', maxBytes: 2 * 1024 * 1024, lifetimeMs: 0 },
  /** How far the learner's side has come in the stream. Retained. */
  position: { topic: '/stream_position', by: 'learner', maxBytes: 4096, lifetimeMs: 0 },
  /** Parts of recordings' files, which robots send when nothing of the stream waits. */
  recording: { topic: '/recording', by: 'robot', maxBytes: 512 * 1024, lifetimeMs: 0 },
  /** How far the learner's side has come with a recording, and what became of it. */
  recordingPosition: { topic: '/recording_position', by: 'learner', maxBytes: 4096, lifetimeMs: 0 },
  /** The newest policy with its signature. Retained. */
  policy: { topic: '/signed_policy', by: 'learner', maxBytes: 64 * 1024 * 1024, lifetimeMs: 0 },
  policyStatus: { topic: '/policy_status', by: 'robot', maxBytes: 64 * 1024, lifetimeMs: 5000 },
  learnerStatus: { topic: '/learner_status', by: 'learner', maxBytes: 256 * 1024, lifetimeMs: 5000 },
  gatewayStatus: { topic: '/gateway_status', by: 'robot', maxBytes: 64 * 1024, lifetimeMs: 5000 },
  clockQuestion: { topic: '/clock_question', by: 'robot', maxBytes: 4096, lifetimeMs: 2000 },
  clockAnswer: { topic: '/clock_answer', by: 'learner', maxBytes: 4096, lifetimeMs: 2000 },
  /** What the learner's side knows of all robots; on the learner's own topics. */
  fleetStatus: { topic: '/fleet_status', by: 'learner', maxBytes: 4 * 1024 * 1024, lifetimeMs: 5000 },
  /** ONLINE, OFFLINE or CONNECTIONBROKEN. Retained, and the last will of the robot's connection. */
  presence: { topic: '/presence', by: 'robot', maxBytes: 4096, lifetimeMs: 0 },
} as const satisfies Readonly<
  Record<string, TopicLimits & { readonly topic: string; readonly by: 'robot' | 'learner' }>
>;

/** The service by which a person asks the learner's side to do something about its fleet; on the learner's own topics. */
export const FLEET_SERVICE = '/fleet_request';

const byTopic = new Map<string, TopicLimits>(Object.values(linkTopics).map((entry) => [entry.topic, entry]));

/** Limits of a topic of the link; small ones for any other topic. */
export function linkLimits(topic: string): TopicLimits {
  return byTopic.get(topic) ?? { maxBytes: 64 * 1024, lifetimeMs: 0 };
}
