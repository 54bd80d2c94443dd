import { stringify } from 'yaml';

/** Quality of service that rosbag2 offers for every topic on replay: reliable, volatile, depth 10. It suits any subscription. */
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

/** Content of the metadata.yaml of a bag with one file. Times are nanoseconds since the epoch. */
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
  // rosbag2 writes the same times twice; YAML aliases would not be understood.
  return stringify(metadata, { aliasDuplicateObjects: false });
}
