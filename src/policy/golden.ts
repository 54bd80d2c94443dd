import { type Block, IqLearnError, type PerBlock, perBlock, Random, shapeSize } from '../common/index.js';
import { observationOf } from '../robot/index.js';
import { type PolicyContract, rangeOf } from './contract.js';

/** One observation (robot's units) and noise with the action (robot's units) that the policy must give for them. */
export interface GoldenVector {
  /** The numbers of the only block, or of each block by its name. */
  readonly observation: PerBlock<number[]>;
  readonly noise: number[];
  readonly action: number[];
}

/** Of half the range of each action: other processors round differently, a different policy differs by more. */
export const GOLDEN_TOLERANCE = 1e-5;

const COUNT = 8;
/** Fewer where the observation holds an image: the manifest writes all numbers out. */
const IMAGE_COUNT = 2;
/** Unbounded features are drawn from here. */
const WIDE = 3;

type Act = (observation: PerBlock<readonly number[]>, noise: Float32Array) => Promise<Float32Array>;

/** Runs the policy on fixed observations within the contract's ranges; every second one with noise. */
export async function goldenVectors(contract: PolicyContract, act: Act): Promise<GoldenVector[]> {
  const random = Random.derive(0, 'golden vectors');
  const vectors: GoldenVector[] = [];
  const spec = observationOf(contract);
  const drawn = ({ name, shape, dtype }: Block): number[] => {
    // Only the block in front, `state`, has ranges of its own.
    const features = name === spec[0]!.name ? contract.observation : [];
    return Array.from({ length: shapeSize(shape) }, (_, k) => {
      if (dtype === 'uint8') return random.integer(256);
      const { low, high } = features[k] ?? { low: null, high: null };
      return Math.fround(random.uniform(Math.max(low ?? -WIDE, -WIDE), Math.min(high ?? WIDE, WIDE)));
    });
  };
  const count = spec.some(({ shape }) => shape.length > 1) ? IMAGE_COUNT : COUNT;
  for (let i = 0; i < count; i++) {
    const observation = perBlock(spec, spec.map(drawn));
    const noise = new Float32Array(contract.action.length);
    if (i % 2 === 1) random.fillNormal(noise);
    const action = await act(observation, noise);
    vectors.push({ observation, noise: [...noise], action: [...action] });
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
  for (const [i, { observation, noise, action }] of vectors.entries()) {
    const found = await act(observation, Float32Array.from(noise));
    contract.action.forEach((feature, k) => {
      const { name, unit } = feature;
      const tolerance = GOLDEN_TOLERANCE * rangeOf(feature).half;
      if (!(Math.abs(found[k]! - action[k]!) <= tolerance))
        throw new IqLearnError('CORRUPT_DATA', `${source}: the policy does not give its own golden actions`, {
          found: `${name} = ${found[k]} ${unit} for golden observation ${i}`,
          expected: `${action[k]} ± ${tolerance}`,
          remedy: 'export the bundle again; if it happens again, this onnxruntime computes differently: tell us',
        });
    });
  }
}
