import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openRecording, RecordingWriter, readDemonstrations, recover } from '#src/demonstrations/index.js';
import { expectTrue, rejection, temporaryFolder, toy, toyText, writeEpisode } from './toy.js';

/**
 * Runs the recording child and kills it with SIGKILL `afterMs` after it closed its third episode; or, for null, once a
 * chunk of the fourth one, which never ends, is on the disk.
 */
async function killedRecording(afterMs: number | null): Promise<{ folder: string; ended: number; closing: boolean }> {
  const folder = join(temporaryFolder(), 'killed');
  const script = fileURLToPath(new URL('./record-child.mjs', import.meta.url));
  const closed = afterMs === null ? ['3'] : [];
  const child = spawn(process.execPath, [script, folder, toyText, ...closed], { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = async (): Promise<void> => {
    const size = (): number => statSync(join(folder, 'killed_0.mcap.part')).size;
    const before = size();
    if (afterMs !== null) await setTimeout(afterMs);
    else while (size() === before) await setTimeout(5);
    child.kill('SIGKILL');
  };
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => resolve());
    child.stdout.on('data', (data: Buffer) => {
      const before = output.includes('ended 2\n');
      output += data.toString();
      if (!before && output.includes('ended 2\n')) void kill().catch(reject);
    });
  });
  expect(child.signalCode).toBe('SIGKILL');
  const said = output.split('\n').slice(0, -1);
  return {
    folder,
    ended: said.filter((line) => line.startsWith('ended')).length,
    closing: said.at(-1)!.startsWith('closing'),
  };
}

describe('fault F25: kill -9 while recording', () => {
  it.each([1, 30, 75])(
    '%i ms into an episode: closed episodes whole, the open one up to its last chunk',
    async (ms) => {
      const { folder, ended, closing } = await killedRecording(ms);
      expect(readdirSync(folder)).toContain('killed_0.mcap.part');
      // as it lies there it can be read, and says that it was cut
      const before = await openRecording(folder);
      expect(before.problems.join()).toMatch(/never closed/);
      const unrecovered = await readDemonstrations([folder], toy);

      const recovery = await recover(folder);
      expect(recovery.recovered).toBe(true);
      expect(readdirSync(folder).sort()).toEqual(['killed_0.mcap', 'metadata.yaml']);
      expect((await openRecording(folder)).problems).toEqual([]);
      const { episodes, report } = await readDemonstrations([folder], toy);
      expectTrue(episodes);
      expect(report.recordings[0]).toMatchObject({ splits: 0, undecodable: 0, contradictions: 0 });
      for (let episode = 0; episode < ended; episode++)
        expect(episodes[episode]).toMatchObject({ length: 40, terminated: true, success: true, seed: BigInt(episode) });
      // Killed while it was closing an episode, that may be closed or open.
      for (const { terminated, truncated } of episodes.slice(ended))
        expect([terminated, truncated]).toEqual(closing && terminated ? [true, false] : [false, true]);
      expect(episodes.length - ended).toBeLessThanOrEqual(1);
      expect(episodes.map(({ actions }) => actions)).toEqual(unrecovered.episodes.map(({ actions }) => actions));

      const bytes = readFileSync(join(folder, 'killed_0.mcap'));
      expect(await recover(folder)).toMatchObject({ recovered: false, messages: recovery.messages, problems: [] });
      expect(readFileSync(join(folder, 'killed_0.mcap'))).toEqual(bytes);
    },
  );

  it('closes the open episode with a marker that says why', async () => {
    const { folder } = await killedRecording(null);
    const { closedEpisode } = await recover(folder);
    expect(closedEpisode).toBe(3);
    const reader = await openRecording(folder);
    const events = [];
    for await (const message of reader.messages({ topics: ['/episode_events'] }))
      events.push(reader.decode('iq_learn/msg/EpisodeEvent', message));
    expect(events.at(-1)).toMatchObject({
      kind: 1,
      episode: 3,
      truncated: true,
      terminated: false,
      reason: 'recovered',
    });
    expect(reader.info).toMatchObject({ robot: 'toy', session: 'child' });
  });
});

describe('recover', () => {
  const complete = async (): Promise<string> => {
    const folder = join(temporaryFolder(), 'whole');
    const writer = await RecordingWriter.create(folder, { spec: toy, session: 's' });
    writeEpisode(writer, 0, 10);
    await writer.close();
    return folder;
  };

  it('leaves a complete recording alone', async () => {
    const folder = await complete();
    const before = readFileSync(join(folder, 'metadata.yaml'));
    expect(await recover(folder)).toMatchObject({ recovered: false, closedEpisode: null, messages: 23 });
    expect(readFileSync(join(folder, 'metadata.yaml'))).toEqual(before);
  });

  it('finishes after a kill between any two of its steps', async () => {
    const folder = await complete();
    const metadata = readFileSync(join(folder, 'metadata.yaml'), 'utf8');
    const file = join(folder, 'whole_0.mcap');
    // killed before metadata.yaml was written
    rmSync(join(folder, 'metadata.yaml'));
    expect(await recover(folder)).toMatchObject({ recovered: true, messages: 23 });
    const topics = (text: string): string[] => text.split('\n').sort();
    expect(topics(readFileSync(join(folder, 'metadata.yaml'), 'utf8'))).toEqual(topics(metadata));
    // killed before the part was removed
    copyFileSync(file, `${file}.part`);
    expect(await recover(folder)).toMatchObject({ recovered: true });
    expect(existsSync(`${file}.part`)).toBe(false);
    // killed while it was rebuilding, and before that
    copyFileSync(file, `${file}.part`);
    rmSync(file);
    rmSync(join(folder, 'metadata.yaml'));
    writeFileSync(`${file}.recovering.part`, 'half');
    expect(await recover(folder)).toMatchObject({ recovered: true, messages: 23, closedEpisode: null });
    expect(readdirSync(folder).sort()).toEqual(['metadata.yaml', 'whole_0.mcap']);
    expectTrue((await readDemonstrations([folder], toy)).episodes);
  });

  it('says when there is nothing to recover', async () => {
    expect(await rejection(recover(join(temporaryFolder(), 'none')))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rejection(recover(temporaryFolder()))).toMatchObject({ code: 'NOT_FOUND' });
    const folder = join(temporaryFolder(), 'empty');
    mkdirSync(folder);
    writeFileSync(join(folder, 'empty_0.mcap.part'), '');
    expect(await rejection(recover(folder))).toMatchObject({ code: 'CORRUPT_DATA' });
    expect(readdirSync(folder)).toEqual(['empty_0.mcap.part']);
  });
});
