import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../common/index.js';
import { episodeMarkers, openRecording } from '../../demonstrations/index.js';
import { type EpisodeCounts, noEpisodes } from '../../nodes/index.js';

/** The folders of a session's recordings: folder, folder-2, folder-3 and so on. */
function* namesOf(folder: string): Generator<string> {
  for (let i = 1; ; i++) yield i === 1 ? folder : `${folder}-${i}`;
}

/** The folder, or the first of folder-2, folder-3 and so on that does not exist. */
export function freeFolder(folder: string): string {
  for (const name of namesOf(folder)) if (!existsSync(name)) return name;
  return folder;
}

/**
 * What the earlier recordings of a session hold. One that cannot be read is told to `warn` and left out; one that is
 * being written has no metadata.yaml yet, and is the session's next part.
 */
export async function sessionCounts(folder: string, warn: (text: string) => void): Promise<EpisodeCounts> {
  const counts = { ...noEpisodes };
  for (const name of namesOf(folder)) {
    if (!existsSync(name)) return counts;
    if (!existsSync(join(name, 'metadata.yaml'))) continue;
    try {
      for (const { outcome } of await episodeMarkers(await openRecording(name))) counts[outcome]++;
    } catch (error) {
      warn(`${name} is not counted: ${messageOf(error)}`);
    }
  }
  return counts;
}
