import { ActionRange, IqLearnError, Random } from '../common/index.js';
import type { PolicyContract } from './contract.js';

/** One observation (robot's units) and noise with the action (robot's units) that the policy must give for them. */
export interface GoldenVector {
  readonly observation: readonly number[];
  readonly noise: readonly number[];
  readonly action: readonly number[];
}

/** Of half the range of each action: other processors round differently, a different policy differs by more. */
export const GOLDEN_TOLERANCE = 1e-5;

const COUNT = 8;
/** Unbounded features are drawn from here. */
const WIDE = 3;

type Act = (observation: Float32Array, noise: Float32Array) => Promise<Float32Array>;

/** Runs the policy on fixed observations within the contract's ranges; every second one with noise. */
export async function goldenVectors(contract: PolicyContract, act: Act): Promise<GoldenVector[]> {
  const random = Random.derive(0, 'golden vectors');
  const vectors: GoldenVector[] = [];
  for (let i = 0; i < COUNT; i++) {
    const observation = Float32Array.from(contract.observation, ({ low, high }) =>
      random.uniform(Math.max(low ?? -WIDE, -WIDE), Math.min(high ?? WIDE, WIDE)),
    );
    const noise = new Float32Array(contract.action.length);
    if (i % 2 === 1) random.fillNormal(noise);
    const action = await act(observation, noise);
    vectors.push({ observation: [...observation], noise: [...noise], action: [...action] });
  }
  return vectors;
}

/** Throws CORRUPT_DATA when the policy does not give the golden actions on this machine. */
export async function checkGoldenVectors(
  vectors: readonly GoldenVector[],
  contract: PolicyContract,
  source: string,
  act: Act,
): Promise<void> {
  const { half } = ActionRange.of(contract.action);
  for (const [i, { observation, noise, action }] of vectors.entries()) {
    const found = await act(Float32Array.from(observation), Float32Array.from(noise));
    contract.action.forEach(({ name, unit }, k) => {
      const tolerance = GOLDEN_TOLERANCE * half[k]!;
      if (!(Math.abs(found[k]! - action[k]!) <= tolerance))
        throw new IqLearnError('CORRUPT_DATA', `${source}: the policy does not give its own golden actions`, {
          found: `${name} = ${found[k]} ${unit} for golden observation ${i}`,
          expected: `${action[k]} ± ${tolerance}`,
          remedy: 'export the bundle again; if it happens again, this onnxruntime computes differently: tell us',
        });
    });
  }
}
