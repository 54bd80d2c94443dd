import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { IqLearnError, messageOf } from '../../common/index.js';
import { isRecordingFile } from '../../demonstrations/index.js';

/** What a file or folder is, and the path that its reader takes. */
export interface Found {
  readonly kind: 'policy' | 'model' | 'recording' | 'checkpoint' | 'robot' | 'report';
  readonly path: string;
}

const EXPECTED =
  'a policy folder, an .onnx file, a recording, a checkpoint folder, the description of a robot (YAML), or the folder of a run';

function unknown(path: string, found: string): IqLearnError {
  return new IqLearnError('INVALID_ARGUMENT', `cannot tell what ${path} is`, { found, expected: EXPECTED });
}

function beginning(path: string): Buffer {
  const handle = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(4096);
    return bytes.subarray(0, readSync(handle, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(handle);
  }
}

function kindOfFile(path: string): Found {
  const bytes = beginning(path);
  if (bytes.length === 0) throw unknown(path, 'an empty file');
  if (bytes.subarray(0, 8).toString('latin1') === '\x89MCAP0\r\n') return { kind: 'recording', path };
  const text = bytes.toString('utf8');
  if (/^\s*\{/.test(text)) {
    if (text.includes('"iq_learn/policy"')) return { kind: 'policy', path: dirname(path) };
    if (/"iq_learn checkpoint \d+"/.test(text)) return { kind: 'checkpoint', path: dirname(dirname(path)) };
    if (text.includes('"iq_learn report 1"')) return { kind: 'report', path };
    throw unknown(path, 'a JSON file of another kind');
  }
  // An ONNX file begins with the field ir_version, a small number.
  if (bytes[0] === 0x08 && bytes[1]! < 0x40) return { kind: 'model', path };
  if (text.startsWith('SQLite format 3') || isRecordingFile(path)) return { kind: 'recording', path };
  if (/\.onnx$/.test(path)) return { kind: 'model', path };
  if (/\.ya?ml$/.test(path) || /^robot:/m.test(text)) return { kind: 'robot', path };
  throw unknown(path, `a file that begins with ${bytes.subarray(0, 8).toString('hex')}`);
}

function kindOfFolder(path: string): Found {
  const names = readdirSync(path);
  const is = (name: string): boolean => names.includes(name);
  if (is('policy.onnx') || (is('manifest.json') && !/^generation-\d+$/.test(basename(path))))
    return { kind: 'policy', path };
  if (names.some((name) => /^generation-\d{8}$/.test(name))) return { kind: 'checkpoint', path };
  if (/^generation-\d{8}$/.test(basename(path))) return { kind: 'checkpoint', path: dirname(path) };
  if (is('metadata.yaml') || names.some(isRecordingFile)) return { kind: 'recording', path };
  if (is('report.json')) return { kind: 'report', path: join(path, 'report.json') };
  for (const part of ['policy', 'checkpoint', 'recording']) if (is(part)) return kindOfFolder(join(path, part));
  throw unknown(path, names.length === 0 ? 'an empty folder' : `a folder with ${names.slice(0, 5).join(', ')}`);
}

/** Recognises a file or folder by its content. Throws NOT_FOUND, IO, or INVALID_ARGUMENT for what iq_learn does not write. */
export function kindOf(given: string): Found {
  const path = resolve(given);
  try {
    return statSync(path).isDirectory() ? kindOfFolder(path) : kindOfFile(path);
  } catch (cause) {
    if (cause instanceof IqLearnError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new IqLearnError(missing ? 'NOT_FOUND' : 'IO', `cannot read ${given}`, {
      found: missing ? 'no such file or folder' : messageOf(cause),
      expected: EXPECTED,
      remedy: 'check the path',
      cause,
    });
  }
}
