import { stringify } from 'yaml';

/** rosbag2's own offer for every topic: reliable, volatile, the last ten; suits any subscription on replay. */
export const offeredQosProfiles = stringify([
  {
    history: 1,
    depth: 10,
    reliability: 1,
    durability: 2,
    deadline: { sec: 9223372036, nsec: 854775807 },
    lifespan: { sec: 9223372036, nsec: 854775807 },
    liveliness: 1,
    liveliness_lease_duration: { sec: 9223372036, nsec: 854775807 },
    avoid_ros_namespace_conventions: false,
  },
]).trimEnd();

export interface BagTopic {
  readonly name: string;
  readonly type: string;
  readonly messageCount: number;
}

/** What metadata.yaml tells of a bag of one file. Times in nanoseconds since the epoch. */
export interface BagSummary {
  readonly file: string;
  readonly startNs: bigint;
  readonly durationNs: bigint;
  readonly topics: readonly BagTopic[];
}

/**
 * The text of metadata.yaml. Version 5 is what ROS 2 Humble writes; every later rosbag2 reads it too. What
 * iq_learn adds (robot, session) stands in the MCAP file.
 */
export function rosbagMetadata({ file, startNs, durationNs, topics }: BagSummary): string {
  const messages = topics.reduce((sum, { messageCount }) => sum + messageCount, 0);
  const times = {
    starting_time: { nanoseconds_since_epoch: startNs },
    duration: { nanoseconds: durationNs },
    message_count: messages,
  };
  const metadata = {
    rosbag2_bagfile_information: {
      version: 5,
      storage_identifier: 'mcap',
      ...times,
      topics_with_message_count: topics.map(({ name, type, messageCount }) => ({
        topic_metadata: { name, type, serialization_format: 'cdr', offered_qos_profiles: offeredQosProfiles },
        message_count: messageCount,
      })),
      compression_format: '',
      compression_mode: '',
      relative_file_paths: [file],
      files: [{ path: file, ...times }],
    },
  };
  // The same times twice, as rosbag2 writes them, not a reference.
  return stringify(metadata, { aliasDuplicateObjects: false });
}
