import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IqLearnError, messageOf } from '../common/index.js';
import { renameDurable, writeFileDurable } from '../platform/index.js';
import { decodeBundle, type PolicyBundle } from './bundle.js';
import { MAX_MANIFEST_BYTES, MAX_MODEL_BYTES } from './manifest.js';
import type { PolicyRuntime } from './runtime.js';

const MODEL = 'policy.onnx';
const MANIFEST = 'manifest.json';

/**
 * Writes `<folder>/policy.onnx` and `<folder>/manifest.json`, replacing an earlier bundle's: both files are whole on
 * the disk before either is renamed into place, the manifest last. Throws IO with nothing half-written left.
 */
export function writeBundle(folder: string, bundle: PolicyBundle): void {
  const part = (file: string): string => join(folder, `${file}.${process.pid}.part`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileDurable(part(MODEL), bundle.model);
    writeFileDurable(part(MANIFEST), bundle.manifest);
    renameDurable(part(MODEL), join(folder, MODEL));
    renameDurable(part(MANIFEST), join(folder, MANIFEST));
  } catch (cause) {
    for (const file of [MODEL, MANIFEST]) if (existsSync(part(file))) rmSync(part(file));
    throw new IqLearnError('IO', `cannot write the policy bundle ${folder}`, {
      found: messageOf(cause),
      expected: 'a writable folder with free space',
      remedy: 'free space, or choose another folder',
      cause,
    });
  }
}

function readCapped(path: string, maxBytes: number): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > maxBytes)
      throw new IqLearnError('CORRUPT_DATA', `${path} is too large for a policy bundle`, {
        found: `${size} bytes`,
        expected: `at most ${maxBytes} bytes`,
        remedy: 'check that this is the file that was exported',
      });
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof IqLearnError) throw cause;
    throw new IqLearnError('NOT_FOUND', `cannot read the policy bundle`, {
      found: messageOf(cause),
      expected: `a folder with ${MODEL} and ${MANIFEST}`,
      remedy: "give the folder that training wrote, e.g. 'runs/<name>/policy'",
      cause,
    });
  }
}

/** The files of a bundle as they are, unchecked. `path` is the folder or one of the two files in it. */
export function readBundleFiles(path: string): PolicyBundle {
  const isFile = existsSync(path) && statSync(path).isFile();
  const folder = isFile ? dirname(path) : path;
  return {
    manifest: new TextDecoder().decode(readCapped(join(folder, MANIFEST), MAX_MANIFEST_BYTES)),
    model: readCapped(join(folder, MODEL), MAX_MODEL_BYTES),
  };
}

/** Reads a bundle from its folder (or one of its files) with all of {@link decodeBundle}'s checks. */
export async function readBundle(path: string): Promise<PolicyRuntime> {
  return decodeBundle(readBundleFiles(path), path);
}
