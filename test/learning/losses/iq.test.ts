import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { Random } from '#src/common/index.js';
import { compile } from '#src/engine/index.js';
import { valueBound } from '#src/learning/losses/divergences.js';
import { iqLoss } from '#src/learning/losses/iq.js';
import { adam, adamCoefficients } from '#src/learning/optimiser/adam.js';
import { evaluate } from '../support/evaluate.js';
import { multiplicities, occupancy, randomMdp, randomPolicy } from '../support/mdp.js';

const column = (data: ArrayLike<number>) => ({ shape: [1, data.length, 1], data });
const random = new Random(7);
const normals = (n: number): number[] => Array.from({ length: n }, () => random.normal());

interface Rows {
  q: number[];
  v: number[];
  /** V(s′) and 1 − d. */
  next: number[];
  continues: number[];
}

async function lossOf(
  rows: Rows,
  policyRows: number,
  settings: Parameters<typeof iqLoss>[1],
  v0: number[] = [0],
): Promise<number> {
  const expertRows = rows.q.length - policyRows;
  const y = rows.next.map((value, i) => settings.gamma * rows.continues[i]! * value);
  const { loss } = await evaluate(
    { q: column(rows.q), v: column(rows.v), y: column(y), v0: column(v0) },
    ({ q, v, y: target, v0: initial }) => ({
      loss: tf.reshape(iqLoss({ q: q!, v: v!, y: target!, v0: initial!, policyRows, expertRows }, settings).loss, [1]),
    }),
  );
  return loss![0]!;
}

describe('the IQ-Learn critic loss', () => {
  const gamma = 0.9;
  const rows: Rows = {
    q: normals(12),
    v: normals(12),
    next: normals(12),
    // policy: rows 0–7, two true terminals (d_π = 1/4); expert: rows 8–11, one (d_E = 1/4)… made unequal below
    continues: [0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0],
  };

  it('equals the formula written out by hand', async () => {
    const c = 0.7;
    const r = rows.q.map((q, i) => q - gamma * rows.continues[i]! * rows.next[i]!);
    const advantage = rows.v.map((v, i) => v - gamma * rows.continues[i]! * rows.next[i]!);
    const mean = (x: number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
    const mix = (x: number[]): number => 0.5 * mean(x.slice(0, 8)) + 0.5 * mean(x.slice(8));
    const squares = r.map((x) => x * x);
    const settings = { gamma, regMult: c, divergence: 'chi2-mix', valueTerm: 'value' } as const;
    expect(await lossOf(rows, 8, settings)).toBeCloseTo(-mean(r.slice(8)) + mix(advantage) + c * mix(squares), 5);
    expect(await lossOf(rows, 8, { ...settings, divergence: 'chi2-expert' })).toBeCloseTo(
      -mean(r.slice(8)) + mix(advantage) + c * mean(squares.slice(8)),
      5,
    );
    expect(await lossOf(rows, 8, { ...settings, valueTerm: 'value_expert' })).toBeCloseTo(
      -mean(r.slice(8)) + mean(advantage.slice(8)) + c * mix(squares),
      5,
    );
    expect(await lossOf(rows, 8, { ...settings, valueTerm: 'v0' }, [2, 4])).toBeCloseTo(
      -mean(r.slice(8)) + (1 - gamma) * 3 + c * mix(squares),
      5,
    );
  });

  it('an offset k of all values moves A + B by the terminal fractions only', async () => {
    const k = 1.5;
    const shifted = {
      ...rows,
      q: rows.q.map((x) => x + k),
      v: rows.v.map((x) => x + k),
      next: rows.next.map((x) => x + k),
    };
    const unequal = [1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0]; // d_π = 1/8, d_E = 1/2
    const dE = 0.5;
    const dMix = 0.5 * (1 / 8 + dE);
    for (const [valueTerm, slope] of [
      ['value', gamma * (dMix - dE)],
      ['value_expert', 0],
      ['v0', -gamma * dE],
    ] as const) {
      const settings = { gamma, regMult: 0, divergence: 'chi2-mix', valueTerm } as const;
      const before = await lossOf({ ...rows, continues: unequal }, 8, settings, [3]);
      const after = await lossOf({ ...shifted, continues: unequal }, 8, settings, [3 + k]);
      expect((after - before) / k).toBeCloseTo(slope, 4);
    }
  });

  it('the order of rows within a half does not matter, the half does', async () => {
    const settings = { gamma, regMult: 0.5, divergence: 'chi2-mix', valueTerm: 'value' } as const;
    const pick = (order: number[]): Rows => ({
      q: order.map((i) => rows.q[i]!),
      v: order.map((i) => rows.v[i]!),
      next: order.map((i) => rows.next[i]!),
      continues: order.map((i) => rows.continues[i]!),
    });
    const loss = await lossOf(rows, 8, settings);
    expect(await lossOf(pick([7, 6, 5, 4, 3, 2, 1, 0, 10, 8, 11, 9]), 8, settings)).toBeCloseTo(loss, 5);
    expect(Math.abs((await lossOf(pick([8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]), 8, settings)) - loss)).toBeGreaterThan(
      0.01,
    );
  });

  it('weighs expert and policy one half each whatever their counts', async () => {
    const settings = { gamma, regMult: 0.5, divergence: 'chi2-mix', valueTerm: 'value' } as const;
    const twice = (x: number[]): number[] => [...x.slice(0, 8), ...x.slice(8), ...x.slice(8)];
    const doubled = {
      q: twice(rows.q),
      v: twice(rows.v),
      next: twice(rows.next),
      continues: twice(rows.continues),
    };
    expect(await lossOf(doubled, 8, settings)).toBeCloseTo(await lossOf(rows, 8, settings), 5);
  });

  it('without regulariser, value_expert is T times the likelihood of softmax(Q/T), gradient by gradient', async () => {
    const [states, actions, T] = [6, 4, 0.3];
    const table = normals(states * actions);
    const demonstrated = [0, 3, 1, 2, 2, 0].flatMap((a) =>
      Array.from({ length: actions }, (_, i) => (i === a ? 1 : 0)),
    );
    const next = [2, 0, 5, 1, 3, 4];
    const { ours, likelihood } = await evaluate(
      {
        table: { shape: [states, actions], data: table },
        chosen: { shape: [states, actions], data: demonstrated },
        next: {
          shape: [states, states],
          data: next.flatMap((s) => Array.from({ length: states }, (_, i) => (i === s ? 1 : 0))),
        },
      },
      ({ table: q0, chosen, next: successor }) => {
        const value = (q: tf.Tensor): tf.Tensor => tf.mul(tf.logSumExp(tf.div(q, T), 1, true), T);
        const ours = tf.grad((q: tf.Tensor) => {
          const v = value(q);
          return iqLoss(
            {
              q: tf.expandDims(tf.sum(tf.mul(q, chosen!), 1, true), 0),
              v: tf.expandDims(v, 0),
              y: tf.expandDims(tf.mul(tf.matMul(successor!, v), gamma), 0),
              policyRows: 0,
              expertRows: states,
            },
            { gamma, regMult: 0, divergence: 'chi2-expert', valueTerm: 'value_expert' },
          ).loss;
        })(q0!);
        const likelihood = tf.grad((q: tf.Tensor) =>
          tf.mul(tf.neg(tf.sum(tf.mul(tf.logSoftmax(tf.div(q, T)), chosen!))), T / states),
        )(q0!);
        return { ours, likelihood };
      },
    );
    for (let i = 0; i < ours!.length; i++) expect(ours![i]).toBeCloseTo(likelihood![i]!, 5);
    expect(Math.max(...likelihood!.map(Math.abs))).toBeGreaterThan(0.01);
  });

  it('the bound on |Q| is 1/(c(1−γ)), none without regulariser', () => {
    expect(valueBound('chi2-mix', 0.5, 0.99)).toBeCloseTo(200, 9);
    expect(valueBound('chi2-mix', 0, 0.99)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('on a tabular MDP with a known answer', () => {
  const mdp = randomMdp(3, 4, 2, 0.8);
  const { states, actions, gamma } = mdp;
  const pairs = states * actions;
  const policy = randomPolicy(5, mdp);
  const expert = randomPolicy(11, mdp);
  const rho = occupancy(mdp, policy);
  const rhoE = occupancy(mdp, expert);

  /** V^π of a table Q, and E[V(s′)|s,a], exactly. */
  const T = 0.2;
  const valuesOf = (q: tf.Tensor): { v: tf.Tensor; y: tf.Tensor } => {
    const pi = tf.tensor2d(policy, [states, actions]);
    const entropy = tf.mul(tf.sum(tf.mul(pi, tf.log(pi)), 1, true), -T);
    const v = tf.add(tf.sum(tf.mul(pi, tf.reshape(q, [states, actions])), 1, true), entropy);
    return { v, y: tf.mul(tf.matMul(tf.tensor2d(mdp.transition.flat(), [pairs, states]), v), gamma) };
  };

  it('(1−γ) E V(s₀) equals E[V(s) − γ V(s′)] over any policy’s occupancy', async () => {
    const table = normals(pairs);
    const { left, over } = await evaluate({ q: { shape: [pairs, 1], data: table } }, ({ q }) => {
      const { v, y } = valuesOf(q!);
      const left = tf.mul(tf.sum(tf.mul(v, tf.tensor2d([...mdp.initial], [states, 1]))), 1 - gamma);
      const here = tf.reshape(tf.tile(v, [1, actions]), [pairs, 1]);
      const advantage = tf.sub(here, y);
      const under = (weights: number[]): tf.Tensor => tf.sum(tf.mul(advantage, tf.tensor2d(weights, [pairs, 1])));
      return {
        left: tf.reshape(left, [1]),
        over: tf.stack([under(rho), under(rhoE), under(occupancy(mdp, randomPolicy(99, mdp)))]),
      };
    });
    for (const value of over!) expect(value).toBeCloseTo(left![0]!, 5);
  });

  /** Minimises the loss over a table Q with rows that follow the occupancies; gives the recovered reward. */
  async function recover(divergence: 'chi2-mix' | 'chi2-expert', c: number): Promise<Float32Array> {
    const rows = 4000;
    const repeated = (weights: readonly number[]): number[] =>
      multiplicities(weights, rows).flatMap((count, i) => new Array<number>(count).fill(i));
    const expertRows = repeated(rhoE);
    const policyRows = repeated(rho);
    const initialRows = repeated(mdp.initial);
    const index = (values: number[]): tf.Tensor1D => tf.tensor1d(values, 'int32');
    const executable = await compile(
      {
        name: 'tabular',
        state: {
          q: { shape: [pairs], dtype: 'float32' },
          m: { shape: [pairs], dtype: 'float32' },
          v: { shape: [pairs], dtype: 'float32' },
        },
        inputs: { coefficients: { shape: [2], dtype: 'float32' } },
        step: (state, { coefficients }) => {
          const all = [...policyRows, ...expertRows];
          const stateOf = all.map((i) => Math.floor(i / actions));
          const gradient = tf.grad((flat: tf.Tensor) => {
            const q = tf.reshape(flat, [pairs, 1]);
            const { v, y } = valuesOf(q);
            return iqLoss(
              {
                q: tf.expandDims(tf.gather(q, index(all)), 0),
                v: tf.expandDims(tf.gather(v, index(stateOf)), 0),
                y: tf.expandDims(tf.gather(y, index(all)), 0),
                v0: tf.expandDims(tf.gather(v, index(initialRows)), 0),
                policyRows: policyRows.length,
                expertRows: expertRows.length,
              },
              { gamma, regMult: c, divergence, valueTerm: 'v0' },
            ).loss;
          })(state.q!);
          const next = adam({ parameters: state.q!, m: state.m!, v: state.v! }, gradient, coefficients!);
          const { y } = valuesOf(tf.reshape(next.parameters, [pairs, 1]));
          return {
            state: { q: next.parameters, m: next.m, v: next.v },
            outputs: { reward: tf.sub(tf.reshape(next.parameters, [pairs, 1]), y) },
          };
        },
      },
      {
        device: 'cpu',
        threads: 1,
        initialState: { q: new Float32Array(pairs), m: new Float32Array(pairs), v: new Float32Array(pairs) },
      },
    );
    let reward: Float32Array = new Float32Array(0);
    for (let t = 1; t <= 3000; t++) {
      const { step, epsilon } = adamCoefficients(t, 0.05 * (1 - t / 3001));
      const outputs = await executable.run({ coefficients: Float32Array.of(step, epsilon) });
      reward = outputs.reward as Float32Array;
    }
    await executable.dispose();
    return reward;
  }

  it('the recovered reward is (1 − t)/(2c), t = ρ/ρ_E, for χ² on expert rows', async () => {
    const c = 0.5;
    const reward = await recover('chi2-expert', c);
    for (let i = 0; i < pairs; i++) expect(reward[i]).toBeCloseTo((1 - rho[i]! / rhoE[i]!) / (2 * c), 1);
    expect(Math.max(...reward) - Math.min(...reward)).toBeGreaterThan(0.3);
  });

  it('the recovered reward is (ρ_E − ρ)/(c(ρ_E + ρ)), within ±1/c, for χ² on the mix', async () => {
    const c = 0.5;
    const reward = await recover('chi2-mix', c);
    for (let i = 0; i < pairs; i++) {
      expect(reward[i]).toBeCloseTo((rhoE[i]! - rho[i]!) / (c * (rhoE[i]! + rho[i]!)), 1);
      expect(Math.abs(reward[i]!)).toBeLessThanOrEqual(1 / c + 1e-3);
    }
  });
});
