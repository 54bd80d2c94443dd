import { z } from 'zod';
import { IqLearnError, messageOf, refusalOf } from '../common/index.js';
import { sha256 } from '../platform/index.js';
import { contractSchema, type PolicyContract } from './contract.js';

export const FORMAT = 'iq_learn/policy';
/** The version of a manifest: 1 if the observation is one vector, 2 if it has further blocks. */
export function formatVersion(contract: Pick<PolicyContract, 'blocks'>): 1 | 2 {
  return contract.blocks === undefined ? 1 : 2;
}
/** A bundle larger than this is refused before anything is decoded. */
export const MAX_MODEL_BYTES = 256 * 1024 * 1024;
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');
const numbers = z.array(z.number());

/** How the policy was trained, for people: names and numbers such as updates, demonstrations, seed. */
export type TrainingSummary = Readonly<Record<string, string | number | boolean>>;

const manifestSchema = z
  .strictObject({
    format: z.literal(FORMAT),
    formatVersion: z.literal([1, 2]),
    /** SHA-256 of the manifest with this field empty. */
    digest: hash,
    version: z.int().min(0),
    model: z.strictObject({
      file: z.literal('policy.onnx'),
      bytes: z.int().min(1).max(MAX_MODEL_BYTES),
      sha256: hash,
    }),
    contract: contractSchema,
    training: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    golden: z
      .array(
        z.strictObject({
          observation: z.union([numbers, z.record(z.string(), numbers)]),
          noise: numbers,
          action: numbers,
        }),
      )
      .min(1)
      .max(64),
  })
  .superRefine(({ formatVersion: found, contract }, context) => {
    const expected = formatVersion(contract);
    if (found !== expected)
      context.addIssue({ code: 'custom', path: ['formatVersion'], message: `expected ${expected}` });
  });

export type Manifest = z.output<typeof manifestSchema>;
export type ManifestJson = z.input<typeof manifestSchema>;

function canonicalText(manifest: object): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

function digestOf(manifest: ManifestJson): string {
  return sha256(canonicalText({ ...manifest, digest: '' }));
}

/** The text of manifest.json, sealed by its digest. */
export function sealManifest(manifest: Omit<ManifestJson, 'digest' | 'format' | 'formatVersion'>): string {
  const version = formatVersion(manifest.contract);
  const unsealed: ManifestJson = { format: FORMAT, formatVersion: version, digest: '', ...manifest };
  return canonicalText({ ...unsealed, digest: digestOf(unsealed) });
}

/**
 * The manifest in `text`. Throws CORRUPT_DATA naming the field when it is not JSON, not a manifest, or was altered
 * after it was sealed. Only exactly the text that was written is accepted.
 */
export function openManifest(text: string, source: string): Manifest {
  const refuse = (found: string, expected: string, cause?: unknown): never => {
    throw new IqLearnError('CORRUPT_DATA', `${source}: the policy manifest is refused`, {
      found,
      expected,
      remedy: 'copy the bundle again from where it was made, or export it again; never edit it',
      cause,
    });
  };
  if (text.length > MAX_MANIFEST_BYTES) refuse(`${text.length} characters`, `at most ${MAX_MANIFEST_BYTES}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    refuse(`no JSON: ${messageOf(cause)}`, 'the JSON text that was written', cause);
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const { field, found, expected } = refusalOf(parsed.error, manifestSchema, json);
    return refuse(`${field === '' ? 'the whole' : field} is ${found}`, expected);
  }
  // Parsing has checked the form; the digest is computed over the JSON text as it is.
  const sealed = json as ManifestJson;
  if (canonicalText(sealed) !== text) refuse('a text that was reformatted', 'the text as it was written');
  const digest = digestOf(sealed);
  if (digest !== sealed.digest) refuse(`digest ${digest}`, `${sealed.digest}, as the manifest says of itself`);
  return parsed.data;
}
