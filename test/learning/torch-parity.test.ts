import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { compile } from '#src/engine/index.js';
import { adamCoefficients, createAgent, type LearnerSettings, learnerConfig } from '#src/learning/index.js';

/** Made by `npm run bench -- update --golden FILE [--recipe]` from an independent PyTorch implementation (bench/peers). */
interface Golden {
  readonly settings: {
    readonly observation: number;
    readonly action: number;
    readonly hidden: number[];
    readonly critics: 1 | 2;
    readonly batch: number;
    readonly gamma: number;
    readonly tau: number;
    readonly temperature: number;
    readonly reg_mult: number;
    readonly log_std: [number, number];
    readonly actor_learning_rate: number;
    readonly critic_learning_rate: number;
    readonly beta1: number;
    readonly layer_norm: boolean;
    readonly value_term: 'value' | 'value_policy';
    readonly absorbing: 'zero' | 'learned';
    readonly cloning?: number;
  };
  readonly initial: Networks;
  readonly updates: readonly Readonly<Record<string, string>>[];
  /** [critic's, actor's] after each update. */
  readonly losses: readonly (readonly [number, number])[];
  readonly final: Networks;
}

/** Base64 of little-endian float32. */
type Networks = Readonly<Record<'actor' | 'critic' | 'target', string>>;

const goldenOf = (name: string): Golden =>
  JSON.parse(readFileSync(new URL(`../golden/learning/${name}.json`, import.meta.url), 'utf8')) as Golden;
const published = goldenOf('torch-parity');
/** The same with what the defaults add: layer normalisation, the policy's rows alone, momentum of 0.5, absorbing state. */
const recipe = goldenOf('torch-parity-recipe');

function decode(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

type Settings = Partial<Extract<LearnerSettings, { agent: 'iq-sac' }>>;

async function replay({ settings, initial, updates }: Golden, changes: Settings = {}) {
  const config = learnerConfig({
    agent: 'iq-sac',
    layerNorm: settings.layer_norm,
    beta1: settings.beta1,
    absorbing: settings.absorbing,
    actorAveraging: 0,
    cloningWeight: settings.cloning ?? 0,
    hiddenSizes: settings.hidden,
    critics: settings.critics,
    gamma: settings.gamma,
    tau: settings.tau,
    temperature: settings.temperature,
    regMult: settings.reg_mult,
    batchSize: settings.batch,
    logStdRange: settings.log_std,
    valueTerm: settings.value_term,
    ...changes,
  });
  const agent = createAgent(config, { observation: settings.observation, action: settings.action });
  const executable = await compile(agent.program, {
    device: 'cpu',
    threads: 1,
    initialState: {
      ...agent.initialState(new Random(0)),
      actor: decode(initial.actor),
      critic: decode(initial.critic),
      target: decode(initial.target),
    },
  });
  const losses: [number, number][] = [];
  for (const [i, update] of updates.entries()) {
    const adam = (rate: number): Float32Array => {
      const { step, epsilon } = adamCoefficients(i + 1, rate, changes.beta1 ?? settings.beta1);
      return Float32Array.of(step, epsilon);
    };
    const { critic_loss, actor_loss } = await executable.run({
      observations: decode(update.observation!),
      actions: decode(update.action!),
      nextObservations: decode(update.next_observation!),
      continues: decode(update.terminated!).map((terminated) => 1 - terminated),
      ...(settings.absorbing === 'learned' ? { absorbing: decode(update.absorbing!) } : {}),
      noise: decode(update.noise!),
      nextNoise: decode(update.next_noise!),
      actorAdam: adam(settings.actor_learning_rate),
      criticAdam: adam(settings.critic_learning_rate),
    });
    losses.push([critic_loss![0]!, actor_loss![0]!]);
  }
  const state = executable.readState() as Record<string, Float32Array>;
  await executable.dispose();
  return { losses, state };
}

/** How far a replay with other settings is from the golden: of the critic's losses and of the target, the larger. */
async function change(golden: Golden, changes: Settings): Promise<number> {
  const { losses, state } = await replay(golden, changes);
  return Math.max(
    ...golden.losses.map(([critic], i) => Math.abs(losses[i]![0] - critic)),
    largestDifference(state.target!, decode(golden.final.target)),
  );
}

describe.each([
  ['as published', published],
  ['of the defaults', recipe],
])('an IQ-Learn SAC update %s against an independent PyTorch implementation', (_, golden) => {
  it('gives the same losses and parameters over three updates', async () => {
    const { losses, state } = await replay(golden);
    for (const [i, [critic, actor]] of golden.losses.entries()) {
      expect(losses[i]![0], `critic loss of update ${i}`).toBeCloseTo(critic, 4);
      expect(losses[i]![1], `actor loss of update ${i}`).toBeCloseTo(actor, 4);
    }
    for (const name of ['actor', 'critic', 'target'] as const) {
      const theirs = decode(golden.final[name]);
      expect(largestDifference(state[name]!, theirs), name).toBeLessThan(1e-5);
      // The tolerance means something: every network moved by far more.
      expect(largestDifference(decode(golden.initial[name]), theirs), `${name} moved`).toBeGreaterThan(1e-2);
    }
  });

  it.each<[string, Settings]>([
    ['an unclipped target', { clipTarget: false }],
    ['the value term on expert rows alone', { valueTerm: 'value_expert' }],
    ['the regulariser on expert rows alone', { divergence: 'chi2-expert' }],
    ['another discount', { gamma: 0.89 }],
    ['another temperature', { temperature: 0.49 }],
    ['another target rate', { tau: 0.11 }],
    ['another momentum', { beta1: 0.7 }],
  ])('is told apart from %s', async (_, changes) => {
    expect(await change(golden, changes)).toBeGreaterThan(1e-3);
  });
});

describe('the golden of the defaults', () => {
  it.each<[string, Settings]>([
    ['critics without layer normalisation', { layerNorm: false }],
    ['the value term on all rows', { valueTerm: 'value' }],
    ['an actor without the cloning term', { cloningWeight: 0 }],
  ])('is told apart from %s', async (_, changes) => {
    expect(await change(recipe, changes)).toBeGreaterThan(1e-3);
  });
});
