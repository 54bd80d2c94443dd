import { parse } from 'yaml';
import { IqLearnError } from '../common/index.js';
import { basename, join, kindOfPath, namesIn, readText } from '../platform/index.js';

/** Whether a file is one of a recording, by its name. */
export function isRecordingFile(name: string): boolean {
  return /\.(mcap(\.part)?|db3)(\.(zst|zstd|gz|lz4))?$/.test(name);
}

/**
 * The files of a recording in their order: those that metadata.yaml lists, or else all that are in the folder. What is
 * missing or unfinished is added to `problems`. Throws NOT_FOUND, and UNSUPPORTED for a bag of another storage.
 */
export function recordingFiles(path: string, problems: string[]): readonly string[] {
  if (kindOfPath(path) === null)
    throw new IqLearnError('NOT_FOUND', `no recording at ${path}`, {
      found: 'no such file or folder',
      expected: 'a rosbag2 folder with .mcap or .db3 files, or one such file',
    });
  if (kindOfPath(path) === 'file') return [path];
  const names = namesIn(path).sort(new Intl.Collator('en', { numeric: true }).compare);
  const present = names.filter((name) => isRecordingFile(name) && !name.includes('.recovering.'));
  const metadata = join(path, 'metadata.yaml');
  if (kindOfPath(metadata) !== null) {
    try {
      const listed = bagFiles(readText(metadata), metadata);
      const missing = listed.filter((name) => !names.includes(name));
      if (missing.length > 0) problems.push(`${path} lacks ${missing.join(', ')}, which metadata.yaml lists`);
      const there = listed.filter((name) => names.includes(name));
      if (there.length > 0) return there.map((name) => join(path, name));
    } catch (error) {
      if (!(error instanceof IqLearnError) || error.code === 'UNSUPPORTED') throw error;
      problems.push(error.message);
    }
  }
  const unfinished = present.filter((name) => name.endsWith('.part'));
  if (unfinished.length > 0) problems.push(`${path} was never closed (${unfinished.join(', ')}): it can be recovered`);
  if (present.length === 0)
    throw new IqLearnError('NOT_FOUND', `no recording in ${path}`, {
      found: names.slice(0, 8).join(', ') || 'an empty folder',
      expected: 'metadata.yaml, and .mcap or .db3 files',
      remedy: 'give the folder of a recording (iq-learn record, ros2 bag record -s mcap)',
    });
  return present.map((name) => join(path, name));
}

/**
 * The file names that metadata.yaml lists. Throws UNSUPPORTED for other storages, and
 * CORRUPT_DATA where it is no metadata; the files are then read as they are.
 */
function bagFiles(text: string, path: string): readonly string[] {
  const cut = (found: string): IqLearnError =>
    new IqLearnError('CORRUPT_DATA', `${path} cannot be used`, {
      found: `${found}, as when the recorder was killed`,
      expected: 'the list of files of a bag',
      remedy: 'nothing: the files of the folder are read as they are (ros2 bag reindex writes it anew)',
    });
  if (text.trim() === '') throw cut('an empty file');
  let content: unknown;
  try {
    content = parse(text, { logLevel: 'error' });
  } catch {
    throw cut('a file that is cut');
  }
  const bag = (content as { rosbag2_bagfile_information?: Record<string, unknown> } | null)
    ?.rosbag2_bagfile_information;
  if (bag === undefined || !Array.isArray(bag.relative_file_paths)) throw cut('no relative_file_paths');
  // Only the name counts, never a path: the file must be in the folder.
  const listed = bag.relative_file_paths.map((name) => basename(String(name)));
  // `ros2 bag reindex` leaves the storage empty on some distributions: the files say what they are.
  const storage = String(bag.storage_identifier ?? '');
  const mode = String(bag.compression_mode ?? '').toLowerCase();
  const format = String(bag.compression_format ?? '');
  if (!['', 'mcap', 'sqlite3'].includes(storage) || (mode === 'message' && format !== 'zstd'))
    throw new IqLearnError('UNSUPPORTED', `cannot read the bag of ${path}`, {
      found: mode === 'message' ? `messages packed by ${format}` : `storage ${storage}`,
      expected: 'storage mcap or sqlite3, uncompressed or packed by zstd',
      remedy: 'convert it: ros2 bag convert with storage_id mcap and no compression_mode',
    });
  return listed;
}
