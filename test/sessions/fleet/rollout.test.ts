import { describe, expect, it } from 'vitest';
import type { Episode } from '#src/learning/index.js';
import { Rollout, type RolloutParts, type RolloutPolicy } from '#src/sessions/fleet/rollout.js';

/** An episode that is as far from the demonstrations as it says. */
const episode = (distance: number): Episode => ({
  length: 1,
  observations: Float32Array.of(distance, distance),
  actions: new Float32Array(1),
  terminated: false,
});

function fleet(more: Partial<RolloutParts<RolloutPolicy>> = {}, count = 10) {
  const robots = Array.from({ length: count }, (_, i) => `r${i}`);
  const has = new Map<string, number>();
  const sent: string[] = [];
  const said: string[] = [];
  const unfit = new Set<string>();
  const rollout = new Rollout<RolloutPolicy>({
    robots,
    settings: { mode: 'staged', share: 0.3, episodes: 3, tolerance: 0.1 },
    isFit: (robot) => !unfit.has(robot),
    send: (to, { version }, back) => {
      for (const robot of to) {
        has.set(robot, version);
        sent.push(`${robot} ${version}${back ? ' back' : ''}`);
      }
    },
    measure: (episodes) =>
      episodes.reduce((sum, { observations }) => sum + (observations as Float32Array)[0]!, 0) / episodes.length,
    say: (text) => said.push(text),
    ...more,
  });
  /** Every robot drives an episode; `distance` is that of each version. */
  const drive = (distances: Readonly<Record<number, number>>): void => {
    for (const version of [...has.values()]) rollout.episode(version, episode(distances[version]!));
  };
  const versions = (): Record<number, number> => {
    const counts: Record<number, number> = {};
    for (const version of has.values()) counts[version] = (counts[version] ?? 0) + 1;
    return counts;
  };
  return { rollout, sent, said, drive, versions, unfit, has };
}

describe('the rollout of policies', () => {
  it('brings the first policy to all, and the next to one robot, a share, and all, as they prove themselves', () => {
    const { rollout, drive, versions, said } = fleet();
    rollout.offer({ version: 0 });
    expect(versions()).toEqual({ 0: 10 });
    rollout.offer({ version: 5 });
    expect(versions()).toEqual({ 0: 9, 5: 1 });
    expect(rollout.state).toMatchObject({ accepted: 0, tried: 5, robots: ['r0'] });
    drive({ 0: 0.5, 5: 0.4 });
    drive({ 0: 0.5, 5: 0.4 });
    expect(versions()).toEqual({ 0: 9, 5: 1 });
    drive({ 0: 0.5, 5: 0.4 });
    expect(versions()).toEqual({ 0: 7, 5: 3 });
    drive({ 0: 0.5, 5: 0.4 });
    expect(versions()).toEqual({ 5: 10 });
    expect(said.at(-1)).toBe('policy 5 goes to all: distance 0.400, 0.500 before');
    expect(rollout.state).toMatchObject({ accepted: 5, tried: null, text: 'all have 5' });
  });

  it('takes a policy back that is farther from the demonstrations, and tries the newest one next', () => {
    const { rollout, drive, versions, sent, said } = fleet();
    rollout.offer({ version: 0 });
    for (const version of [1, 2, 3]) rollout.offer({ version });
    expect(versions()).toEqual({ 0: 9, 1: 1 });
    for (let i = 0; i < 3; i++) drive({ 0: 0.5, 1: 0.7 });
    expect(said).toContain('policy 1 is taken back: distance 0.700, 0.500 before');
    expect(sent.filter((text) => text.startsWith('r0'))).toEqual(['r0 0', 'r0 1', 'r0 0 back']);
    // Another robot tries the next, and 2 is left out.
    expect(rollout.state).toMatchObject({ accepted: 0, tried: 3, robots: ['r1'], refused: 1 });
  });

  it('takes a policy back from its share, too, where that shows what one robot did not', () => {
    const { rollout, drive, versions } = fleet();
    rollout.offer({ version: 0 });
    rollout.offer({ version: 1 });
    for (let i = 0; i < 3; i++) drive({ 0: 0.5, 1: 0.5 });
    expect(versions()).toEqual({ 0: 7, 1: 3 });
    drive({ 0: 0.5, 1: 0.9 });
    expect(versions()).toEqual({ 0: 10 });
  });

  it('allows for chance: a little farther is as good', () => {
    const { rollout, drive, versions } = fleet();
    rollout.offer({ version: 0 });
    rollout.offer({ version: 1 });
    for (let i = 0; i < 4; i++) drive({ 0: 0.5, 1: 0.54 });
    expect(versions()).toEqual({ 1: 10 });
  });

  it('is held while there is nothing to compare with', () => {
    const { rollout, versions } = fleet();
    rollout.offer({ version: 0 });
    rollout.offer({ version: 1 });
    for (let i = 0; i < 50; i++) rollout.episode(1, episode(0.1));
    expect(versions()).toEqual({ 0: 9, 1: 1 });
    expect(rollout.state.text).toBe('1 is tried by r0: 50 of 3 episodes; 0 of 3 of 0 to compare with');
    for (let i = 0; i < 3; i++) rollout.episode(0, episode(0.5));
    expect(versions()).toEqual({ 0: 7, 1: 3 });
  });

  it('does not ask a robot that is gone or set aside, and gives a trial to another where its robot leaves', () => {
    const { rollout, unfit, has } = fleet();
    unfit.add('r0');
    rollout.offer({ version: 0 });
    rollout.offer({ version: 1 });
    expect(rollout.state.robots).toEqual(['r1']);
    rollout.look();
    expect(rollout.state.robots).toEqual(['r1']);
    unfit.add('r1');
    rollout.look();
    expect(rollout.state.robots).toEqual(['r1', 'r2']);
    expect(has.get('r2')).toBe(1);
  });

  it('waits for a robot where none is there', () => {
    const { rollout, unfit, versions } = fleet({}, 2);
    rollout.offer({ version: 0 });
    for (const robot of ['r0', 'r1']) unfit.add(robot);
    rollout.offer({ version: 1 });
    expect(versions()).toEqual({ 0: 2 });
    unfit.clear();
    rollout.look();
    expect(versions()).toEqual({ 0: 1, 1: 1 });
  });

  it('goes back for all in one step, and stays there until it is resumed', () => {
    const { rollout, drive, versions, sent } = fleet();
    rollout.offer({ version: 0 });
    expect(rollout.rollback()).toBeNull();
    rollout.offer({ version: 1 });
    for (let i = 0; i < 4; i++) drive({ 0: 0.5, 1: 0.5 });
    expect(versions()).toEqual({ 1: 10 });
    sent.length = 0;
    expect(rollout.rollback()).toBe(0);
    expect(sent).toHaveLength(10);
    expect(sent.every((text) => text.endsWith(' 0 back'))).toBe(true);
    rollout.offer({ version: 2 });
    expect(versions()).toEqual({ 0: 10 });
    expect(rollout.state).toMatchObject({ held: true, text: 'held at 0 until a person resumes it' });
    rollout.resume();
    expect(versions()).toEqual({ 0: 9, 2: 1 });
    // In the middle of a trial, the policy that is tried goes.
    expect(rollout.rollback()).toBe(0);
    expect(versions()).toEqual({ 0: 10 });
  });

  it('sends every policy to all where that is wanted, and remembers some that are apart', () => {
    const { rollout, versions } = fleet({
      settings: { mode: 'all', share: 0.3, episodes: 3, tolerance: 0.1 },
      spacing: 10,
    });
    for (let version = 0; version <= 45; version++) rollout.offer({ version });
    expect(versions()).toEqual({ 45: 10 });
    expect(rollout.history.map(({ version }) => version)).toEqual([10, 20, 30, 40, 45]);
    expect(rollout.rollback()).toBe(40);
  });

  it('goes on after a start with what was accepted, and where it was held', () => {
    const accepted = [{ version: 3 }, { version: 7 }];
    const { rollout, versions } = fleet({ accepted, held: true });
    rollout.begin();
    rollout.offer({ version: 9 });
    expect(versions()).toEqual({ 7: 10 });
    expect(rollout.rollback()).toBe(3);
    rollout.resume();
    expect(versions()).toEqual({ 3: 9, 9: 1 });
  });
});
