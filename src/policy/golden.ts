import { ActionRange, type Block, IqLearnError, type PerBlock, perBlock, Random, shapeSize } from '../common/index.js';
import { observationOf } from '../robot/index.js';
import type { PolicyContract } from './contract.js';

/** An observation and noise with the action that the policy must return for them; observation and action in the robot's units. */
export interface GoldenVector {
  /** The numbers of the only block, or of each block by its name. */
  readonly observation: PerBlock<number[]>;
  readonly noise: number[];
  readonly action: number[];
}

/** Allowed difference, as a share of half the range of each action. Other processors round differently by less; a different policy differs by more. */
export const GOLDEN_TOLERANCE = 1e-5;

const COUNT = 8;
/** Fewer if the observation holds an image, because the manifest lists all numbers. */
const IMAGE_COUNT = 2;
/** Observations are drawn from −WIDE…WIDE, or from the part of it within the feature's limits. */
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

/** Throws CORRUPT_DATA if the policy does not return the golden actions on this machine. */
export async function checkGoldenVectors(
  vectors: readonly GoldenVector[],
  contract: PolicyContract,
  source: string,
  act: Act,
): Promise<void> {
  const { half } = ActionRange.of(contract.action);
  for (const [i, { observation, noise, action }] of vectors.entries()) {
    const found = await act(observation, Float32Array.from(noise));
    contract.action.forEach(({ name, unit }, k) => {
      const tolerance = GOLDEN_TOLERANCE * half[k]!;
      if (!(Math.abs(found[k]! - action[k]!) <= tolerance))
        throw new IqLearnError('CORRUPT_DATA', `${source}: the policy does not give its own golden actions`, {
          found: `${name} = ${found[k]} ${unit} for golden observation ${i}`,
          expected: `${action[k]} ± ${tolerance}`,
          remedy:
            'export the bundle again; if it happens again, this onnxruntime computes differently: please report it',
        });
    });
  }
}
