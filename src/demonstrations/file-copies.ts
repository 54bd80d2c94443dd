import { basename, openInput, sha256 } from '../platform/index.js';

/** So many bytes of its end tell a file from another of its size: the index and the checksums are there. */
const END = 65_536;

/** What tells a file from any that is no copy of it. */
async function signatureOf(path: string): Promise<string> {
  const input = openInput(path);
  try {
    const end = new Uint8Array(Math.min(END, input.size));
    await input.read(end, input.size - end.length);
    // Empty files are not what they were: each is told of by itself.
    return input.size === 0 ? path : `${input.size} ${sha256(end)}`;
  } finally {
    input.close();
  }
}

/** Files without those that are copies of another: what they show would count twice. A copy is added to `problems`. */
export async function withoutCopies(files: readonly string[], problems: string[]): Promise<readonly string[]> {
  if (files.length < 2) return files;
  const known = new Map<string, string>();
  const kept: string[] = [];
  for (const file of files) {
    const signature = await signatureOf(file);
    const first = known.get(signature);
    if (first === undefined) kept.push(file);
    else problems.push(`${file} is a copy of ${basename(first)}, and is left out`);
    known.set(signature, first ?? file);
  }
  return kept;
}
