import { IqLearnError, messageOf } from '../common/index.js';
import { dirname, join, kindOfPath, readBytes, writeFilesTogether } from '../platform/index.js';
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
  try {
    writeFilesTogether(folder, [
      [MODEL, bundle.model],
      [MANIFEST, bundle.manifest],
    ]);
  } catch (cause) {
    throw new IqLearnError('IO', `cannot write the policy bundle ${folder}`, {
      found: messageOf(cause),
      expected: 'a writable folder with free space',
      remedy: 'free space, or choose another folder',
      cause,
    });
  }
}

/**
 * A file of the bundle that was given as `given`. Throws CORRUPT_DATA for a file that is too large, and NOT_FOUND for one
 * that cannot be read.
 */
function readFileOf(given: string, folder: string, name: string, maxBytes: number): Uint8Array {
  const path = join(folder, name);
  try {
    return readBytes(path, maxBytes);
  } catch (cause) {
    if (!(cause instanceof IqLearnError)) throw cause;
    const { code, found = '', expected = '' } = cause;
    if (code === 'CORRUPT_DATA')
      throw new IqLearnError(code, `${path} is too large for a policy bundle`, {
        found,
        expected,
        remedy: 'check that this is the file that was exported',
      });
    throw new IqLearnError('NOT_FOUND', `${given} is no policy bundle that can be read`, {
      found: `${path}: ${found}`,
      expected: `a folder with ${MODEL} and ${MANIFEST}`,
      remedy: "give the folder that training wrote, e.g. 'runs/<name>/policy'",
      cause,
    });
  }
}

/** The files of a bundle as they are, unchecked. `path` is the folder or one of the two files in it. */
export function readBundleFiles(path: string): PolicyBundle {
  const folder = kindOfPath(path) === 'file' ? dirname(path) : path;
  return {
    manifest: new TextDecoder().decode(readFileOf(path, folder, MANIFEST, MAX_MANIFEST_BYTES)),
    model: readFileOf(path, folder, MODEL, MAX_MODEL_BYTES),
  };
}

/** Reads a bundle from its folder (or one of its files) with all of {@link decodeBundle}'s checks. */
export async function readBundle(path: string): Promise<PolicyRuntime> {
  return decodeBundle(readBundleFiles(path), path);
}
