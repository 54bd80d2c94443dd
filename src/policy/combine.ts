import { IqLearnError } from '../common/index.js';
import { meanModel } from '../engine/index.js';
import { decodeBundle, modelMetadata, type PolicyBundle, sealBundle } from './bundle.js';
import { contractText, type PolicyContract } from './contract.js';
import { checkGoldenVectors } from './golden.js';
import { openManifest, type TrainingSummary } from './manifest.js';
import type { PolicyRuntime } from './runtime.js';

/** A bundle, and where it is from: for errors. */
export interface NamedBundle {
  readonly source: string;
  readonly bundle: PolicyBundle;
}

const fields = ['robot', 'rateHz', 'observation', 'action', 'blocks'] as const;

function checkContracts(contracts: readonly PolicyContract[], sources: readonly string[]): void {
  const [first] = contracts;
  contracts.forEach((contract, i) => {
    if (contractText(contract) === contractText(first!)) return;
    const textOf = (of: PolicyContract, field: keyof PolicyContract): string => JSON.stringify(of[field]) ?? 'none';
    const field = fields.find((each) => textOf(contract, each) !== textOf(first!, each))!;
    throw new IqLearnError('MISMATCH', `policies of different robots cannot be combined: ${field} differs`, {
      found: `${textOf(contract, field)} (${sources[i]})`,
      expected: `${textOf(first!, field)} (${sources[0]})`,
      remedy: 'give policies that were trained for the same description of one robot',
    });
  });
}

/** Policies that have the same model are one: it would only count twice. */
function checkDifferent(members: readonly PolicyRuntime[], sources: readonly string[]): void {
  if (members.length < 2)
    throw new IqLearnError('INVALID_ARGUMENT', 'one policy cannot be combined', {
      found: sources[0] ?? 'none',
      expected: 'two policies or more, of the same robot',
      remedy: 'train with another --seed, and give the policies of both runs',
    });
  const hashes = members.map(({ id }) => id.split('/').at(-1));
  const again = hashes.findIndex((hash, i) => hashes.indexOf(hash) < i);
  if (again >= 0)
    throw new IqLearnError('INVALID_ARGUMENT', 'a policy is given twice', {
      found: `${sources[hashes.indexOf(hashes[again])]} and ${sources[again]} are the same`,
      expected: 'policies of different runs',
      remedy: 'train with another --seed, and give the policies of both runs',
    });
}

/** What is said of the training of all members alike, and which they are. */
function trainingOf(members: readonly PolicyRuntime[]): TrainingSummary {
  const [first, ...others] = members.map(({ training }) => training);
  const alike = Object.entries(first!).filter(([name, value]) => others.every((other) => other[name] === value));
  const algorithms = new Set(members.map(({ training }) => String(training.algorithm ?? 'unknown')));
  return {
    ...Object.fromEntries(alike),
    algorithm: [...algorithms].join(', '),
    mean_of: members.map(({ id }) => id).join(', '),
  };
}

/**
 * One policy of several for the same robot: its action is the mean of theirs, for the same observation and the same
 * noise. Policies of other runs, or of other times of one run, err in part in other states, and their mean then less often
 * than they do; not always (docs/decisions/0021). It is a bundle like any other, and costs as
 * much time to run as all of them together.
 *
 * Throws INVALID_ARGUMENT for fewer than two or the same one twice, MISMATCH for policies of different robots or of
 * different versions of the file, and what {@link decodeBundle} throws.
 */
export async function combineBundles(given: readonly NamedBundle[]): Promise<PolicyBundle> {
  const members: PolicyRuntime[] = [];
  try {
    for (const { bundle, source } of given) members.push(await decodeBundle(bundle, source));
    const sources = given.map(({ source }) => source);
    checkDifferent(members, sources);
    checkContracts(
      members.map(({ contract }) => contract),
      sources,
    );
    const { contract } = members[0]!;
    const content = {
      contract,
      version: Math.max(...members.map(({ version }) => version)),
      training: trainingOf(members),
    };
    const models = given.map(({ bundle }) => bundle.model);
    const made = await sealBundle(meanModel(models, modelMetadata(content)), content);
    const { golden } = openManifest(made.manifest, 'the combined policy');
    await checkGoldenVectors(golden, contract, 'the combined policy', async (observation, noise) => {
      const actions = await Promise.all(members.map((member) => member.act(observation, noise)));
      return actions[0]!.map((_, k) => actions.reduce((sum, action) => sum + action[k]!, 0) / actions.length);
    });
    return made;
  } finally {
    for (const member of members) await member.dispose();
  }
}
