import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseOrThrow } from '../../common/index.js';
import { readJson, writeFileAtomic } from '../../platform/index.js';
import { type PolicyBundle, readBundleFiles, writeBundle } from '../../policy/index.js';

const stateSchema = z.strictObject({
  format: z.literal('iq_learn fleet 1'),
  /** Versions that were accepted, the newest last; their bundles are beside the file. */
  accepted: z.array(z.int().min(0)),
  held: z.boolean(),
  /** Robots that a person has set aside, and why. */
  aside: z.record(z.string(), z.string()),
});

export interface AcceptedPolicy extends PolicyBundle {
  readonly version: number;
}

export interface FleetMemory {
  readonly accepted: readonly AcceptedPolicy[];
  readonly held: boolean;
  readonly aside: Readonly<Record<string, string>>;
}

/** What a learner of a fleet that was killed has to know of it again: which policies were accepted, and who is set aside. */
export class FleetState {
  readonly #folder: string;
  #kept: readonly number[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws CORRUPT_DATA where the file is damaged. */
  read(): FleetMemory {
    const file = join(this.#folder, 'fleet.json');
    if (!existsSync(file)) return { accepted: [], held: false, aside: {} };
    const remedy = 'delete the file: the rollout of policies then begins again';
    const refused = { code: 'CORRUPT_DATA', what: `${file} is damaged`, remedy } as const;
    const { accepted, held, aside } = parseOrThrow(stateSchema, readJson(file, { remedy }), refused);
    this.#kept = accepted;
    return {
      accepted: accepted.map((version) => ({ version, ...readBundleFiles(this.#bundle(version)) })),
      held,
      aside,
    };
  }

  write({ accepted, held, aside }: FleetMemory): void {
    const versions = accepted.map(({ version }) => version);
    // First the bundles, then the file that names them, then what it no longer names goes.
    for (const policy of accepted)
      if (!this.#kept.includes(policy.version)) writeBundle(this.#bundle(policy.version), policy);
    const state = { format: 'iq_learn fleet 1', accepted: versions, held, aside };
    writeFileAtomic(join(this.#folder, 'fleet.json'), `${JSON.stringify(state)}\n`);
    for (const version of this.#kept)
      if (!versions.includes(version)) rmSync(this.#bundle(version), { recursive: true, force: true });
    this.#kept = versions;
  }

  #bundle(version: number): string {
    return join(this.#folder, String(version));
  }
}
