import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Random } from '#src/common/index.js';
import { RecordingFolderSource } from '#src/hosts/plain/recording-source.js';
import { RecordingFolder } from '#src/hosts/plain/recording-store.js';
import {
  type OfferedRecording,
  type RecordingChunk,
  type RecordingPosition,
  RecordingReceiver,
  RecordingSender,
  recordingName,
} from '#src/link/index.js';
import { crc32 } from '#src/platform/index.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'recordings-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A closed recording on the robot, of random bytes. */
function record(name: string, size: number, seed = 1): Uint8Array {
  const random = new Random(seed);
  const bytes = Uint8Array.from({ length: size }, () => random.integer(256));
  mkdirSync(join(root, 'robot', name), { recursive: true });
  writeFileSync(join(root, 'robot', name, `${name}_0.mcap`), bytes);
  writeFileSync(join(root, 'robot', name, 'metadata.yaml'), 'x: 1\n');
  return bytes;
}

/** Both ends of a robot's recordings, with the messages between them in two lists that a test may tamper with. */
class Ends {
  nowMs = 0;
  chunks: RecordingChunk[] = [];
  positions: RecordingPosition[] = [];
  readonly arrived: OfferedRecording[] = [];
  readonly warnings: string[] = [];
  free = 1e12;
  sender: RecordingSender;
  receiver: RecordingReceiver;
  readonly #bytesPerSecond: number;

  constructor(bytesPerSecond = 1e6) {
    this.#bytesPerSecond = bytesPerSecond;
    this.sender = this.#newSender();
    this.receiver = this.#newReceiver();
  }

  startRobot(): void {
    this.chunks = [];
    this.sender = this.#newSender();
  }

  startLearner(): void {
    this.positions = [];
    this.receiver = this.#newReceiver();
  }

  /** One exchange: time goes on, and what was sent arrives, as far as `pass` lets it. */
  async step(pass: (chunk: RecordingChunk) => readonly RecordingChunk[] = (chunk) => [chunk], ms = 100): Promise<void> {
    this.nowMs += ms;
    this.sender.pump(true);
    await new Promise((resolve) => setTimeout(resolve, 2));
    for (const chunk of this.chunks.splice(0).flatMap(pass)) this.receiver.take(chunk);
    for (const position of this.positions.splice(0)) this.sender.position(position);
  }

  async until(
    holds: () => boolean,
    pass?: (chunk: RecordingChunk) => readonly RecordingChunk[],
    ms = 100,
  ): Promise<void> {
    for (let i = 0; !holds(); i++) {
      if (i > 3000) throw new Error(`in vain: ${JSON.stringify(this.sender.figures)} ${this.warnings.join('; ')}`);
      await this.step(pass, ms);
    }
  }

  get files(): string[] {
    return readdirSync(join(root, 'learner')).toSorted();
  }

  read(index = 0): Uint8Array {
    return new Uint8Array(readFileSync(join(root, 'learner', this.files[index]!)));
  }

  #newSender(): RecordingSender {
    return new RecordingSender({
      robot: 'rover-1',
      source: new RecordingFolderSource(join(root, 'robot')),
      publish: (chunk) => this.chunks.push(chunk),
      nowMs: () => this.nowMs,
      say: () => {},
      warn: (text) => this.warnings.push(text),
      bytesPerSecond: this.#bytesPerSecond,
      chunkBytes: 1000,
      windowBytes: 4000,
    });
  }

  #newReceiver(): RecordingReceiver {
    mkdirSync(join(root, 'learner'), { recursive: true });
    return new RecordingReceiver({
      robot: 'rover-1',
      store: new RecordingFolder({ folder: join(root, 'learner'), maxBytes: 100_000, freeBytes: () => this.free }),
      publish: (position) => this.positions.push(position),
      onArrived: (recording) => this.arrived.push(recording),
      warn: (text) => this.warnings.push(text),
      maxBytes: 60_000,
    });
  }
}

describe('recordings as files over the link', () => {
  test('arrive whole, one after the other, under their name and hash; an unfinished one and links are not sent', async () => {
    const [first, second] = [record('a', 25_500), record('b c', 3000, 2)];
    mkdirSync(join(root, 'robot', 'open'));
    writeFileSync(join(root, 'robot', 'open', 'open_0.mcap.part'), 'unfinished');
    writeFileSync(join(root, 'robot', 'open', 'bag_0.mcap'), 'without metadata.yaml: somebody still writes it');
    writeFileSync(join(root, 'secret.mcap'), 'not of this folder');
    symlinkSync(join(root, 'secret.mcap'), join(root, 'robot', 'a', 'link.mcap'));
    const ends = new Ends();
    await ends.until(() => ends.arrived.length === 2);
    expect(ends.files).toEqual([`a_0-${hashOf(first).slice(0, 16)}.mcap`, `b_c_0-${hashOf(second).slice(0, 16)}.mcap`]);
    expect([ends.read(0), ends.read(1)]).toEqual([first, second]);
    await ends.step();
    expect(ends.sender.figures).toEqual({ waiting: 0, waitingBytes: 0, sent: 2, refused: 0 });
  });

  test('go on where they were after a cut, and after a start of either side or both', async () => {
    const bytes = record('a', 50_000);
    const ends = new Ends();
    let received = 0;
    const count = (chunk: RecordingChunk): RecordingChunk[] => {
      received += chunk.data.length;
      return [chunk];
    };
    await ends.until(() => received > 10_000, count);
    // A cut: what was under way is lost in both directions.
    ends.chunks = [];
    ends.positions = [];
    ends.sender.resume();
    await ends.until(() => received > 20_000, count);
    ends.startRobot();
    await ends.until(() => received > 30_000, count);
    ends.startLearner();
    await ends.until(() => received > 40_000, count);
    ends.startRobot();
    ends.startLearner();
    await ends.until(() => ends.arrived.length === 1, count);
    expect(ends.read()).toEqual(bytes);
    // What was under way came twice at most: it was not begun anew.
    expect(received).toBeLessThan(50_000 + 4 * 5000);
  });

  test('arrive over a link that loses, repeats, damages and reorders', async () => {
    const bytes = record('a', 30_000);
    const random = new Random(7);
    const ends = new Ends();
    let damaged = 0;
    const trouble = (chunk: RecordingChunk): RecordingChunk[] => {
      const kind = random.uniform();
      if (kind < 0.1) return [];
      if (kind < 0.2) return [chunk, chunk];
      if (kind > 0.3 || chunk.data.length === 0) return [chunk];
      damaged += 1;
      return [{ ...chunk, data: chunk.data.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) }];
    };
    await ends.until(() => ends.arrived.length === 1, trouble, 1000);
    expect(ends.read()).toEqual(bytes);
    expect(damaged).toBeGreaterThan(0);
    expect(ends.receiver.refused).toBe(damaged);
    expect(ends.arrived).toHaveLength(1);
  });

  test('whose hash is wrong are never seen: sent again, and after three times refused, with nothing left', async () => {
    record('a', 5000);
    const ends = new Ends();
    // Whoever changes bytes on the way can make the checksum right, too.
    const forge = (chunk: RecordingChunk): RecordingChunk[] => {
      if (chunk.offset !== 1000n || chunk.data.length === 0) return [chunk];
      const data = chunk.data.map((byte) => byte ^ 1);
      return [{ ...chunk, data, crc32: crc32(data) }];
    };
    let once = true;
    await ends.until(
      () => ends.warnings.length > 0,
      (chunk) => (once ? forge(chunk) : [chunk]),
    );
    once = false;
    await ends.until(() => ends.arrived.length === 1);
    rmSync(join(root, 'learner'), { recursive: true });
    const again = new Ends();
    await again.until(() => again.sender.figures.refused === 1, forge);
    expect(again.files).toEqual([]);
    expect(again.arrived).toEqual([]);
    expect(again.warnings.at(-1)).toMatch(/a_0\.mcap: refused: its hash was wrong 3 times/);
  });

  test('cannot leave the folder, be larger than they say or may be, or be of another robot', async () => {
    const ends = new Ends();
    const data = Uint8Array.of(1, 2, 3);
    const sha256 = hashOf(data);
    const good: RecordingChunk = {
      robot: 'rover-1',
      file: 'a.mcap',
      size: 3n,
      sha256,
      offset: 0n,
      crc32: crc32(data),
      data,
    };
    const bad: Partial<RecordingChunk>[] = [
      ...['../a.mcap', '/tmp/a.mcap', 'b/a.mcap', '..', '.mcap', 'a', 'a.mcap\0', `${'a'.repeat(300)}.mcap`, ''].map(
        (file) => ({ file }),
      ),
      ...['../../etc', sha256.toUpperCase(), sha256.slice(1), `${sha256}0`].map((hash) => ({ sha256: hash })),
      { size: 0n },
      { size: 2n },
      { size: 2n ** 63n },
      { offset: 1n },
      { offset: 2n ** 64n - 1n },
      { robot: 'rover-2' },
      { crc32: 1 },
    ];
    for (const more of bad) ends.receiver.take({ ...good, ...more });
    expect(ends.receiver.refused).toBe(bad.length);
    expect(ends.positions).toEqual([]);
    ends.receiver.take({ ...good, size: 60_001n });
    expect(ends.positions).toMatchObject([{ state: 'refused', reason: '60001 bytes, where at most 60000 are taken' }]);
    expect(ends.files).toEqual([]);
    expect(readdirSync(root)).toEqual(['learner']);
    for (const name of ['../../x', 'my demo.mcap', '.hidden.mcap', 'a'.repeat(400), '日本.mcap'])
      expect(recordingName(recordingName(name)), name).toBe(recordingName(name));
  });

  test('wait for space on a full disk, and are refused where the folder of the robot is full', async () => {
    const ends = new Ends();
    for (const [i, name] of ['a', 'b'].entries()) record(name, 45_000, i + 1);
    ends.free = 1e6;
    await ends.until(() => ends.warnings.length > 2);
    expect(ends.warnings.join()).toMatch(/a_0\.mcap: waiting: .*the disk is nearly full/);
    expect(ends.sender.figures).toMatchObject({ waiting: 2, sent: 0 });
    ends.free = 1e12;
    await ends.until(() => ends.arrived.length === 2);
    record('c', 20_000, 3);
    await ends.until(() => ends.sender.figures.refused === 1);
    expect(ends.warnings.at(-1)).toMatch(/c_0\.mcap: refused: there is no room for more recordings of this robot/);
    expect(ends.files).toHaveLength(2);
  });

  test('are taken again by a learner that lost its folder, and told of anew by one that was only started again', async () => {
    const bytes = record('a', 5000);
    const ends = new Ends();
    await ends.until(() => ends.arrived.length === 1);
    ends.startLearner();
    await ends.until(() => ends.arrived.length === 2);
    rmSync(join(root, 'learner'), { recursive: true });
    ends.startLearner();
    await ends.until(() => ends.arrived.length === 3);
    expect(ends.read()).toEqual(bytes);
    ends.receiver.settle(hashOf(bytes), 'aside', 'no episode');
    await ends.until(() => ends.warnings.some((text) => /a_0\.mcap: aside: no episode/.test(text)));
    expect(ends.sender.figures.sent).toBe(1);
  });

  test('wait for a folder that cannot be written', async () => {
    const bytes = record('a', 5000);
    const ends = new Ends();
    rmSync(join(root, 'learner'), { recursive: true });
    writeFileSync(join(root, 'learner'), 'a file where the folder should be');
    await ends.until(() => ends.sender.figures.waiting === 1 && ends.warnings.length > 1);
    expect(ends.warnings.join()).toMatch(/waiting: cannot (use|write)/);
    rmSync(join(root, 'learner'));
    await ends.until(() => ends.arrived.length === 1);
    expect(ends.read()).toEqual(bytes);
  });

  test('leave room for what is live, and are no faster than they may be', async () => {
    record('a', 50_000);
    const ends = new Ends(5000);
    let received = 0;
    const count = (chunk: RecordingChunk): RecordingChunk[] => {
      received += chunk.data.length;
      return [chunk];
    };
    await ends.until(() => received > 0, count);
    for (let i = 0; i < 40; i++) await ends.step(count);
    // The allowance of one second at once, then 5000 bytes a second for four seconds, in whole chunks.
    expect(received).toBeGreaterThan(15_000);
    expect(received).toBeLessThanOrEqual(5000 + 4 * 5000 + 2 * 1000);
    for (let i = 0; i < 40; i++) {
      ends.nowMs += 100;
      ends.sender.pump(false);
    }
    expect(ends.chunks).toEqual([]);
  });
});
