import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/common/index.js';
import { compile } from '../../src/engine/index.js';
import { adamCoefficients, createAgent, type LearnerConfig, learnerConfig } from '../../src/learning/index.js';
import { root } from '../harness.js';

/** Settings under the names of the peers (bench/peers/peer.py). */
export interface ParitySettings {
  readonly observation: number;
  readonly action: number;
  readonly hidden: readonly number[];
  readonly critics: 1 | 2;
  /** Rows of policy data; as many expert rows are added. */
  readonly batch: number;
  readonly gamma: number;
  readonly tau: number;
  readonly temperature: number;
  readonly reg_mult: number;
  readonly log_std: readonly [number, number];
  readonly actor_learning_rate: number;
  readonly critic_learning_rate: number;
  readonly beta1: number;
  readonly layer_norm: boolean;
  readonly value_term: 'value' | 'value_policy';
  readonly absorbing: 'zero' | 'learned';
  /** Rate of the actor's running average; 0: none is kept. */
  readonly averaging: number;
  /** Weight of the error of the actor's mean action in the expert's rows. */
  readonly cloning: number;
}

/** Arrays as base64 of little-endian float32. */
export interface ParityCase {
  readonly settings: ParitySettings;
  readonly initial: Readonly<Record<'actor' | 'critic' | 'target', string>>;
  readonly updates: readonly Readonly<Record<keyof typeof INPUT_NAMES, string>>[];
}

export interface ParityState {
  readonly actor: string;
  readonly critic: string;
  readonly target: string;
  readonly critic_loss: number;
  readonly actor_loss: number;
}

/** The peers' names of a batch's parts → the program's. */
const INPUT_NAMES = {
  observation: 'observations',
  action: 'actions',
  next_observation: 'nextObservations',
  terminated: 'continues',
  absorbing: 'absorbing',
  noise: 'noise',
  next_noise: 'nextNoise',
} as const;

export const encode = (array: Float32Array): string =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');

export function decode(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Settings of the peers as those of this package. */
export const configOf = (settings: ParitySettings): LearnerConfig =>
  learnerConfig({
    agent: 'iq-sac',
    layerNorm: settings.layer_norm,
    beta1: settings.beta1,
    absorbing: settings.absorbing,
    actorAveraging: settings.averaging,
    cloningWeight: settings.cloning,
    hiddenSizes: [...settings.hidden],
    critics: settings.critics,
    gamma: settings.gamma,
    tau: settings.tau,
    temperature: settings.temperature,
    regMult: settings.reg_mult,
    batchSize: settings.batch,
    bufferSize: 20_000,
    logStdRange: [settings.log_std[0], settings.log_std[1]],
    valueTerm: settings.value_term,
    actorLearningRate: settings.actor_learning_rate,
    criticLearningRate: settings.critic_learning_rate,
  });

const agentOf = (settings: ParitySettings) =>
  createAgent(configOf(settings), { observation: settings.observation, action: settings.action });

/** A case with random batches; about one row in ten is terminal, as many are absorbing, and the target differs from the critic. */
export function parityCase(settings: ParitySettings, updates: number, seed: number): ParityCase {
  const random = Random.derive(seed, 'parity');
  const normal = (size: number): Float32Array => random.fillNormal(new Float32Array(size));
  const rows = 2 * settings.batch;
  const first = agentOf(settings).initialState(random);
  const target = agentOf(settings).initialState(random).critic as Float32Array;
  return {
    settings,
    initial: {
      actor: encode(first.actor as Float32Array),
      critic: encode(first.critic as Float32Array),
      target: encode(target),
    },
    updates: Array.from({ length: updates }, () => ({
      observation: encode(normal(rows * settings.observation)),
      action: encode(normal(rows * settings.action).map(Math.tanh)),
      next_observation: encode(normal(rows * settings.observation)),
      terminated: encode(Float32Array.from({ length: rows }, () => (random.uniform(0, 1) < 0.1 ? 1 : 0))),
      absorbing: encode(Float32Array.from({ length: rows }, () => (random.uniform(0, 1) < 0.1 ? 1 : 0))),
      noise: encode(normal(rows * settings.action)),
      next_noise: encode(normal(rows * settings.action)),
    })),
  };
}

/** The case's updates by our engine. */
export async function runOurs({ settings, initial, updates }: ParityCase): Promise<ParityState[]> {
  const agent = agentOf(settings);
  const executable = await compile(agent.program, {
    device: 'cpu',
    threads: 1,
    initialState: {
      ...agent.initialState(new Random(0)), // moments: zeros
      actor: decode(initial.actor),
      critic: decode(initial.critic),
      target: decode(initial.target),
    },
  });
  const results: ParityState[] = [];
  for (const [i, update] of updates.entries()) {
    const inputs: Record<string, Float32Array> = {};
    for (const [theirs, ours] of Object.entries(INPUT_NAMES))
      if (ours in executable.inputs) inputs[ours] = decode(update[theirs as keyof typeof INPUT_NAMES]);
    inputs.continues = inputs.continues!.map((terminated) => 1 - terminated);
    for (const [name, rate] of [
      ['actorAdam', settings.actor_learning_rate],
      ['criticAdam', settings.critic_learning_rate],
    ] as const) {
      const { step, epsilon } = adamCoefficients(i + 1, rate, settings.beta1);
      inputs[name] = Float32Array.of(step, epsilon);
    }
    const { critic_loss, actor_loss } = await executable.run(inputs);
    const state = executable.readState() as Record<string, Float32Array>;
    results.push({
      actor: encode(state.actor!),
      critic: encode(state.critic!),
      target: encode(state.target!),
      critic_loss: critic_loss![0]!,
      actor_loss: actor_loss![0]!,
    });
  }
  await executable.dispose();
  return results;
}

/** The case's updates by a peer script. */
export function runPeer(python: string, script: string, given: ParityCase): ParityState[] {
  const folder = mkdtempSync(join(tmpdir(), 'iq-learn-parity-'));
  try {
    const [input, output] = [join(folder, 'case.json'), join(folder, 'result.json')];
    writeFileSync(input, JSON.stringify(given));
    execFileSync(python, [join(root, 'bench', 'peers', script), '--parity', input, '--out', output], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return (JSON.parse(readFileSync(output, 'utf8')) as { updates: ParityState[] }).updates;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The largest differences over all updates: of parameters absolute, of losses relative to their size (at least 1). */
export function differences(ours: readonly ParityState[], theirs: readonly ParityState[]): Record<string, number> {
  const largest: Record<string, number> = { actor: 0, critic: 0, target: 0, losses: 0 };
  ours.forEach((mine, i) => {
    const other = theirs[i]!;
    for (const name of ['actor', 'critic', 'target'] as const) {
      const [a, b] = [decode(mine[name]), decode(other[name])];
      if (a.length !== b.length) largest[name] = Number.POSITIVE_INFINITY;
      for (let k = 0; k < a.length; k++) largest[name] = Math.max(largest[name]!, Math.abs(a[k]! - b[k]!));
    }
    for (const name of ['critic_loss', 'actor_loss'] as const)
      largest.losses = Math.max(
        largest.losses!,
        Math.abs(mine[name] - other[name]) / Math.max(1, Math.abs(other[name])),
      );
  });
  return largest;
}
