import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { cancelled, IqLearnError } from '../common/index.js';
import { openRecording, type Stretch, writeRecording } from '../demonstrations/index.js';
import { command, type Io } from './command.js';

const outOption = (): Option =>
  new Option('--out <folder>', 'the new recording; it must not be there already').makeOptionMandatory();

/** Makes a parser for seconds, 0 or more, which mean what `meaning` says. */
function seconds(flag: string, meaning = 'from the first message of the recording'): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= 0 && Number.isFinite(value)))
      throw new IqLearnError('INVALID_ARGUMENT', `bad value of ${flag}`, {
        found: `'${text}'`,
        expected: `a number of seconds ${meaning}, 0 or more`,
        remedy: `for example ${flag} 2.5`,
      });
    return value;
  };
}

/** `kept` says what an interruption leaves behind, and how to go on. */
async function write(
  io: Io,
  sources: readonly string[],
  out: string,
  stretch: Stretch = {},
  kept = `nothing of ${out} was kept: give the command again`,
): Promise<void> {
  const { folder, messages, left, notes } = await writeRecording(sources, out, stretch, io.interrupt.signal).catch(
    (error: unknown): never => {
      throw error instanceof IqLearnError && error.code === 'CANCELLED' ? cancelled('interrupted', kept) : error;
    },
  );
  for (const text of notes) io.stderr.write(`note: ${text}\n`);
  for (const text of left) io.stderr.write(`left out: ${text}\n`);
  io.stdout.write(`recording: ${folder} (${messages} messages)\n`);
}

/** `iq-learn convert`: a recording of any form that can be read, as MCAP. */
export function convertCommand(io: Io): Command {
  return command('convert', 'Write a recording (sqlite3, packed, without metadata) as an MCAP recording.', [
    'iq-learn convert bags/humble --out bags/monday',
  ])
    .argument('<recording>', 'a recording that iq-learn inspect can read')
    .addOption(outOption())
    .action((recording: string, { out }: { readonly out: string }) => write(io, [recording], out));
}

/** `iq-learn merge`: several recordings as one, by their log times. */
export function mergeCommand(io: Io): Command {
  return command('merge', 'Write several recordings of one robot as one, in order of their log times.', [
    'iq-learn merge bags/arm bags/gripper --out bags/both',
  ])
    .argument('<recordings...>', 'recordings one after another, or of the same time with other topics')
    .addOption(outOption())
    .action((recordings: string[], { out }: { readonly out: string }) => write(io, recordings, out));
}

/** `iq-learn trim`: a stretch of a recording. */
export function trimCommand(io: Io): Command {
  return command('trim', 'Write a stretch of a recording as a recording of its own.', [
    'iq-learn trim bags/monday --from 3.5 --to 60 --out bags/drive',
  ])
    .argument('<recording>', 'a recording; episodes are not cut in two')
    .option('--from <s>', 'seconds from its first message (default: 0)', seconds('--from'))
    .option('--to <s>', 'seconds from its first message (default: its end)', seconds('--to'))
    .addOption(outOption())
    .action((recording: string, options: { readonly from?: number; readonly to?: number; readonly out: string }) =>
      write(io, [recording], options.out, {
        ...(options.from === undefined ? {} : { fromSeconds: options.from }),
        ...(options.to === undefined ? {} : { toSeconds: options.to }),
      }),
    );
}

/** `iq-learn split`: a recording as several of equal length. */
export function splitCommand(io: Io): Command {
  return command('split', 'Write a recording as several, each of so many seconds.', [
    'iq-learn split bags/monday --every 60 --out bags/minutes',
  ])
    .argument('<recording>', 'a recording; episodes are not cut in two')
    .addOption(
      new Option('--every <s>', 'seconds of each part')
        .argParser(seconds('--every', 'of each part'))
        .makeOptionMandatory(),
    )
    .addOption(outOption())
    .action(async (recording: string, { every, out }: { readonly every: number; readonly out: string }) => {
      const [first, last] = (await openRecording(recording)).timesNs!;
      const length = Number(last - first) / 1e9;
      if (!(every > 0) || length / every > 999)
        throw new IqLearnError('INVALID_ARGUMENT', 'bad value of --every', {
          found: `${every} s for a recording of ${length.toFixed(3)} s`,
          expected: 'parts of more than 0 s, at most 999 of them',
          remedy: `for example --every ${Math.ceil(Math.max(1, length / 10))}`,
        });
      for (let k = 0; k * every <= length; k++) {
        const stretch = { fromSeconds: k * every, toSeconds: (k + 1) * every };
        try {
          const kept =
            k === 0
              ? undefined
              : `the parts up to ${k * every} s are whole; the others: remove ${out}, and give the command again`;
          await write(io, [recording], join(out, String(k).padStart(3, '0')), stretch, kept);
        } catch (error) {
          // A silence longer than a part is no part.
          if (!(error instanceof IqLearnError) || !error.message.startsWith('the stretch holds no message'))
            throw error;
        }
      }
    });
}
