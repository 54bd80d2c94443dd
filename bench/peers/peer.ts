import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { IqLearnError, messageOf } from '../../src/common/index.js';
import { root } from '../harness.js';

/** The Python of the peers' environment: of `--peers VENV`, or of IQ_LEARN_PEERS. Throws UNAVAILABLE. */
export function peersPython(venv: string | null): string {
  const folder = venv ?? process.env.IQ_LEARN_PEERS;
  const remedy = 'run `bench/peers/setup.sh VENV` and give --peers VENV, or leave the peers out with --no-peers';
  if (folder === undefined || folder === '')
    throw new IqLearnError('UNAVAILABLE', 'no Python environment for the peers', {
      found: 'neither --peers nor IQ_LEARN_PEERS',
      expected: 'a folder made by bench/peers/setup.sh',
      remedy,
    });
  const python = join(folder, 'bin', 'python');
  if (!existsSync(python))
    throw new IqLearnError('UNAVAILABLE', 'no Python environment for the peers', {
      found: `no ${python}`,
      expected: 'a folder made by bench/peers/setup.sh',
      remedy,
    });
  return python;
}

/** Something that does updates in blocks: ours, or a peer process. */
export interface Contender {
  readonly name: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Does about `count` updates and gives the milliseconds of each. */
  block(count: number): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** A peer script as a process that answers blocks (bench/peers/peer.py tells the protocol). */
export class PythonPeer implements Contender {
  readonly name: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    name: string,
    versions: Readonly<Record<string, string>>,
    process: ChildProcessWithoutNullStreams,
    lines: AsyncIterator<string>,
  ) {
    this.name = name;
    this.versions = versions;
    this.#process = process;
    this.#lines = lines;
  }

  /** Starts the script and waits until it is compiled and warm. Throws UNAVAILABLE with the end of its stderr. */
  static async start(name: string, python: string, script: string, args: readonly string[]): Promise<PythonPeer> {
    const child = spawn(python, [join(root, 'bench', 'peers', script), ...args], { stdio: 'pipe' });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const fail = (found: string, cause?: unknown) =>
      new IqLearnError('UNAVAILABLE', `the peer ${script} does not run`, {
        found,
        expected: 'its ready line',
        remedy: 'make the environment again with bench/peers/setup.sh',
        ...(cause === undefined ? {} : { cause }),
      });
    let line: IteratorResult<string>;
    try {
      line = await Promise.race([lines.next(), failed]);
    } catch (cause) {
      throw fail(messageOf(cause), cause);
    }
    if (line.done) throw fail(complaint.trim() || 'nothing');
    const { versions } = JSON.parse(line.value) as { versions: Record<string, string> };
    return new PythonPeer(name, versions, child, lines);
  }

  async block(count: number): Promise<readonly number[]> {
    this.#process.stdin.write(`${JSON.stringify({ block: count })}\n`);
    const line = await this.#lines.next();
    if (line.done)
      throw new IqLearnError('UNAVAILABLE', `the peer ${this.name} ended`, { found: `exit ${this.#process.exitCode}` });
    return (JSON.parse(line.value) as { ms: number[] }).ms;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin.end();
    await ended;
  }
}

/** Samples by contender's name, warm-up removed. */
export type Samples = ReadonlyMap<string, readonly number[]>;

/**
 * Lets the contenders work in turn, block by block, so that whatever else the machine does falls on all alike.
 * The first quarter of a block re-warms caches and threads and is not counted (where a block has that many).
 */
export async function alternate(
  contenders: readonly Contender[],
  { rounds, block, onRound }: { rounds: number; block: number; onRound?: (round: number) => void },
): Promise<Samples> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      const ms = await contender.block(block);
      const skip = ms.length >= 8 ? Math.ceil(ms.length / 4) : 0;
      samples.get(contender.name)!.push(...ms.slice(skip));
    }
    onRound?.(round + 1);
  }
  return samples;
}
