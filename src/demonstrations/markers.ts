import { episodeEvent } from '../messages/index.js';
import type { RecordingReader } from './recording-reader.js';
import { episodeTopic } from './recording-writer.js';

const eventType = 'iq_learn/msg/EpisodeEvent';

/** An episode of a recording by its markers, in log times; `endNs` is null where it was never ended. */
export interface MarkedEpisode {
  readonly number: number;
  readonly startNs: bigint;
  readonly endNs: bigint | null;
  /** How it ended; unknown where nobody said, or it was never ended. */
  readonly outcome: 'success' | 'failure' | 'unknown' | 'discarded';
}

/** The episodes that a recording has markers of; none where another program made it. */
export async function episodeMarkers(reader: RecordingReader): Promise<MarkedEpisode[]> {
  if (reader.topics.get(episodeTopic)?.type !== eventType) return [];
  const found: { -readonly [Key in keyof MarkedEpisode]: MarkedEpisode[Key] }[] = [];
  for await (const message of reader.messages({ topics: [episodeTopic] })) {
    const event = reader.decode(eventType, message);
    const open = found.at(-1);
    if (event.kind === episodeEvent.START)
      found.push({ number: event.episode, startNs: message.logTimeNs, endNs: null, outcome: 'unknown' });
    else if (open === undefined) continue;
    else if (event.kind === episodeEvent.DISCARD) {
      // An episode that is thrown away after its end lasts until then: cut before, it would be back.
      if (open.endNs !== null && event.episode !== open.number) continue;
      open.endNs = message.logTimeNs;
      open.outcome = 'discarded';
    } else if (open.endNs === null) {
      open.endNs = message.logTimeNs;
      open.outcome =
        event.success === episodeEvent.UNKNOWN
          ? 'unknown'
          : event.success === episodeEvent.SUCCESS
            ? 'success'
            : 'failure';
    }
  }
  return found;
}
