import { Random } from '#src/common/index.js';
import type { EpisodeResult } from '#src/report/index.js';
import { candidateOf, expertCandidate, type ReportData, randomCandidate, sceneReplay } from '#src/report/index.js';

/** Candidates by their ids, and the share of episodes in which each succeeds. */
const SKILL = { expert: 0.98, 'iq-learn': 0.94, 'behavioural-cloning': 0.6, random: 0 } as const;
type CandidateId = keyof typeof SKILL;
const candidateIds = Object.keys(SKILL) as CandidateId[];

function episodes(policy: CandidateId): EpisodeResult[] {
  const random = Random.derive(1, policy);
  return Array.from({ length: 50 }, (_, i) => {
    const success = random.uniform() < SKILL[policy];
    return {
      seed: 1000 + i,
      return: (success ? 80 : 20) * SKILL[policy] + 6 * random.normal(),
      length: 150,
      success,
    };
  });
}

function path(policy: CandidateId, start: number): { x: number[]; y: number[]; yaw: number[] } {
  const random = Random.derive(start, `path ${policy}`);
  const bend = random.uniform(-0.5, 0.5);
  const x: number[] = [];
  const y: number[] = [];
  const yaw: number[] = [];
  for (let t = 0; t < 60; t++) {
    const u = t / 59;
    x.push(-1.9 + 3.8 * u);
    y.push(-1.5 + 0.6 * start * u + bend * Math.sin(Math.PI * u));
    yaw.push(Math.atan2(0.6 * start + bend * Math.PI * Math.cos(Math.PI * u), 3.8));
  }
  return { x, y, yaw };
}

/** A pendulum on a plane: a body that turns, one that moves, one that stands still. */
function frames() {
  return Array.from({ length: 40 }, (_, t) => {
    const angle = Math.sin(t / 6);
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    return [
      {
        name: 'floor',
        shape: 'plane',
        size: [2, 2, 0.1],
        rgba: [0.9, 0.9, 0.9, 1],
        position: [0, 0, 0],
        rotation: identity,
      },
      {
        name: 'rod',
        shape: 'capsule',
        size: [0.05, 0.4, 0],
        rgba: [0.2, 0.4, 0.8, 1],
        position: [0.4 * s, 0, 1 - 0.4 * c],
        rotation: [c, 0, -s, 0, 1, 0, s, 0, c],
      },
      {
        name: 'bob',
        shape: 'sphere',
        size: [0.12, 0, 0],
        rgba: [0.9, 0.5, 0.2, 1],
        position: [0.85 * s, 0, 1 - 0.85 * c],
        rotation: identity,
      },
      {
        name: 'post',
        shape: 'box',
        size: [0.1, 0.1, 0.1],
        rgba: [0.4, 0.4, 0.4, 1],
        position: [0, 0, 1],
        rotation: identity,
      },
    ] as const;
  });
}

/** A report with every part in it. The numbers are made up and seeded. */
export function sampleReport(): ReportData {
  const random = Random.derive(7, 'sample report');
  const points = Array.from({ length: 120 }, (_, i) => ({
    seconds: 1.5 * (i + 1),
    transitions: 64 * (i + 1),
    updates: 64 * (i + 1),
    metrics: {
      'train/critic_loss': -0.4 * (1 - Math.exp(-i / 25)) + 0.02 * random.normal(),
      'train/actor_loss': -20 * (1 - Math.exp(-i / 40)) + 0.3 * random.normal(),
      'train/entropy': 1 - i / 80 + 0.05 * random.normal(),
      'train/reward_expert': 1.4 * Math.exp(-i / 40) + 0.4 + 0.02 * random.normal(),
      'train/reward_policy': -1.4 * Math.exp(-i / 40) + 0.3 + 0.02 * random.normal(),
    },
  }));
  const rollouts = Array.from({ length: 51 }, (_, i) => ({
    seconds: 3.5 * (i + 1),
    transitions: 150 * (i + 1),
    return: 75 * (1 - Math.exp(-i / 14)) + 8 * random.normal(),
    length: 150,
    success: random.uniform() < 1 - Math.exp(-i / 14),
  }));
  const driven = ['expert', 'iq-learn', 'behavioural-cloning'] as const;
  return {
    format: 'iq_learn report 1',
    robot: 'rover',
    description: 'Differential drive rover with a range sensor that drives to a goal between obstacles.',
    hasSuccess: true,
    date: '2026-01-02T03:04:05.678Z',
    seconds: 214.3,
    demonstrations: { episodes: 5, transitions: 750, seconds: 75 },
    candidates: [expertCandidate, candidateOf('iq-sac'), candidateOf('cloning'), randomCandidate],
    results: candidateIds.map((policy) => ({ policy, episodes: episodes(policy) })),
    learning: { points, rollouts },
    rewards: (['expert', 'iq-learn'] as const).map((policy) => ({
      policy,
      seed: 1000,
      recovered: Array.from({ length: 150 }, (_, t) => 1 - Math.exp(-t / 40) + 0.05 * random.normal()),
      task: Array.from({ length: 150 }, (_, t) => (t > 90 ? 1 : 0.3) + 0.02 * random.normal()),
    })),
    topView: {
      halfWidth: 2.5,
      robotRadius: 0.18,
      goalRadius: 0.25,
      pillars: [
        { x: -0.6, y: 1.1, radius: 0.3 },
        { x: 0.6, y: 0.1, radius: 0.3 },
      ],
      blocks: [{ x: 0.7, y: 1.7, halfX: 0.25, halfY: 0.2 }],
      stepSeconds: 0.1,
      starts: [0, 1, 2, 3].map((start) => ({
        seed: 1000 + start,
        goal: [1.9, -1.5 + 0.6 * start] as const,
        paths: driven.map((policy) => ({
          policy,
          success: policy !== 'behavioural-cloning' || start > 1,
          ...path(policy, start),
        })),
      })),
    },
    replays: (['expert', 'iq-learn'] as const).map((policy) =>
      sceneReplay({ policy, seed: 1000, success: true, stepSeconds: 0.05 }, frames()),
    ),
    settings: [
      { name: 'seed', value: 0 },
      { name: 'updates per step', value: 1 },
      { name: 'critics', value: 1 },
    ],
    versions: { iq_learn: '0.1.0', node: '20.20.2' },
    machine: '2 cores, 24 GiB',
    command: 'iq-learn demo --robot rover --demonstrations 5 --seed 0',
    notes: [],
  };
}
