import { blockValues } from '../common/index.js';
import type { RobotSpec } from '../robot/index.js';
import type { DemonstrationEpisode } from './episode.js';
import type { Finding } from './finding.js';

/** The bytes of an image block of every episode, row after row. */
function bytesOf(episodes: readonly DemonstrationEpisode[], block: string): ArrayLike<number>[] {
  return episodes.flatMap(({ observation, observations }) => {
    const at = observation.findIndex(({ name }) => name === block);
    return at < 0 ? [] : [blockValues<ArrayLike<number>>(observation, observations, 'episode')[at]!];
  });
}

/** Images that are the same, byte by byte, in all of the demonstrations: a camera that is covered, or a driver that hangs. */
export function lintImages(episodes: readonly DemonstrationEpisode[], { images = [] }: RobotSpec): Finding[] {
  const names = images.flatMap(({ block, topic, height, width, channels }) => {
    const size = height * width * channels;
    const rows = bytesOf(episodes, block);
    const first = rows[0];
    const isSame =
      first !== undefined &&
      rows.every((values) => {
        for (let i = 0; i < values.length; i++) if (values[i] !== first[i % size]) return false;
        return true;
      });
    return isSame ? [`${block} (${topic})`] : [];
  });
  return names.length === 0
    ? []
    : [
        {
          level: 'warn',
          check: 'unchanging image',
          source: null,
          found: `${names.join(', ')} never changes`,
          expected: 'pictures that differ from one situation to another, if only by their noise',
          remedy: 'check the camera, its crop and its depth range, or leave the image out',
        },
      ];
}
