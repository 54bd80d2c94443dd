import { episodeEvent } from '../messages/index.js';
import type { RecordingReader } from './recording-reader.js';
import { episodeTopic } from './recording-writer.js';

const eventType = 'iq_learn/msg/EpisodeEvent';

/** An episode of a recording by its markers, in log times; `endNs` is null where it was never ended. */
export interface MarkedEpisode {
  readonly number: number;
  readonly startNs: bigint;
  readonly endNs: bigint | null;
}

/** The episodes that a recording has markers of; none where another program made it. */
export async function episodeMarkers(reader: RecordingReader): Promise<MarkedEpisode[]> {
  if (reader.topics.get(episodeTopic)?.type !== eventType) return [];
  const found: { number: number; startNs: bigint; endNs: bigint | null }[] = [];
  for await (const message of reader.messages({ topics: [episodeTopic] })) {
    const event = reader.decode(eventType, message);
    const open = found.at(-1);
    if (event.kind === episodeEvent.START)
      found.push({ number: event.episode, startNs: message.logTimeNs, endNs: null });
    else if (open === undefined) continue;
    // An episode that is thrown away after its end lasts until then: cut before, it would be back.
    else if (event.kind === episodeEvent.DISCARD && event.episode === open.number) open.endNs = message.logTimeNs;
    else open.endNs ??= message.logTimeNs;
  }
  return found;
}
