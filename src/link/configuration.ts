import { z } from 'zod';

const common = {
  broker: z.string().describe('URL of the broker: mqtts://host:8883.'),
  fleet: z.string().default('fleet').describe('Robots of one description and their learner.'),
  authority: z.string().optional().describe('File of the certificate of the authority that is trusted.'),
  certificate: z.string().optional().describe('File of the certificate of this end.'),
  key: z.string().optional().describe("File of this end's private key."),
  plaintext: z.boolean().default(false).describe('Allows mqtt:// to a broker on this machine.'),
};

/** A file of the link, of a robot's end or of the learner's. Paths in it are relative to its folder. */
export const linkSchema = z.discriminatedUnion('end', [
  z.strictObject({
    end: z.literal('robot'),
    ...common,
    robot: z.string().describe("The robot's identity in the fleet."),
    policy_keys: z.array(z.string()).min(1).describe('Files of the public keys whose policies are accepted.'),
    spool: z
      .strictObject({ folder: z.string().default('spool'), megabytes: z.number().min(1).default(256) })
      .default({ folder: 'spool', megabytes: 256 }),
    recordings: z
      .string()
      .optional()
      .describe('Folder whose closed recordings are sent to the learner as files; none are sent without it.'),
    on_lost: z.enum(['continue', 'stop']).default('continue'),
    lost_after_ms: z.number().min(1000).default(10_000),
    megabytes_per_second: z.number().positive().default(4),
  }),
  z.strictObject({
    end: z.literal('learner'),
    ...common,
    robots: z.array(z.string()).min(1).describe('Identities of the robots of the fleet.'),
    rollout: z
      .strictObject({
        mode: z.enum(['staged', 'all']).optional(),
        share: z.number().gt(0).lt(1).default(0.3),
        episodes: z.int().min(1).max(1000).default(3),
        tolerance: z.number().min(0).default(0.1),
      })
      .default({ share: 0.3, episodes: 3, tolerance: 0.1 })
      .describe('How new policies come to the robots; `staged` where there are several.'),
    recordings: z
      .strictObject({
        megabytes_per_file: z.number().positive().default(2000),
        megabytes_per_robot: z.number().positive().default(20_000),
      })
      .default({ megabytes_per_file: 2000, megabytes_per_robot: 20_000 })
      .describe('What is taken of the recordings that robots send.'),
    backlog: z
      .strictObject({ megabytes: z.number().min(1).default(64) })
      .default({ megabytes: 64 })
      .describe('Transitions that may wait for the learner; beyond that robots keep theirs.'),
    policy_key: z.string().describe('File of the private key that signs policies.'),
  }),
]);

export type LinkFile = z.output<typeof linkSchema>;
export type RobotLinkFile = Extract<LinkFile, { end: 'robot' }>;
export type LearnerLinkFile = Extract<LinkFile, { end: 'learner' }>;
