import { join } from 'node:path';
import { clamp, mean, type Observation } from '../../src/common/index.js';
import { exportNpz } from '../../src/demonstrations/index.js';
import { createExpert, openEnvironment } from '../../src/simulation/index.js';
import { driveEpisodes } from '../../src/training/index.js';
import { progress } from '../harness.js';

/** Preferences of discrete actions, of which the largest is taken: that of one action. */
const only = (actions: number, chosen: number): number[] =>
  Array.from({ length: actions }, (_, i) => Number(i === chosen));

/** Balances the pole: the scripted expert of the task. */
function cartpole(): (observation: Observation) => number[] {
  const expert = createExpert('cartpole');
  return (observation) => only(2, expert.act(observation as ArrayLike<number>)[0]!);
}

/** Swings up by pushing against the velocity of the upper link: it gains energy at every swing. */
function acrobot(): (observation: Observation) => number[] {
  return (observation) => only(3, (observation as ArrayLike<number>)[4]! > 0 ? 0 : 2);
}

/**
 * Lands by two proportional-derivative controllers, of the angle and of the height. The angle aims at the pad and brakes
 * what drifts; the height wanted is that of a funnel above the pad. The gains were found by random search.
 */
function lunarLander(): (observation: Observation) => number[] {
  return (observation) => {
    const [x, y, vx, vy, angle, spin, left, right] = Array.from(observation as ArrayLike<number>) as number[] &
      [number, number, number, number, number, number, number, number];
    const landed = left > 0 || right > 0;
    const aim = clamp(0.513 * x + 1.0 * vx, -0.455, 0.455);
    const turn = landed ? 0 : 0.5 * (aim - angle) - 0.898 * spin;
    const lift = landed ? -0.5 * vy : 0.5 * (0.55 * Math.abs(x) - y) - 0.604 * vy;
    if (lift > Math.abs(turn) && lift > 0.039) return only(4, 2);
    return only(4, turn < -0.044 ? 3 : turn > 0.044 ? 1 : 0);
  };
}

/** The rules that demonstrate, by the name of their file, with the environment that each of them drives. */
const RULES = {
  cartpole: { environment: 'cartpole', make: cartpole },
  acrobot: { environment: 'gym:Acrobot-v1', make: acrobot },
  lunarlander: { environment: 'gym:LunarLander-v3', make: lunarLander },
} as const;

/** The first start of the demonstrations; those of curves and figures lie elsewhere. */
const STARTS = 3_000_000;

/** Writes `<name>.npz` with so many episodes of every rule into a folder. Nothing is selected. */
export async function makeDemonstrations(folder: string, episodes: number): Promise<void> {
  for (const [name, { environment, make }] of Object.entries(RULES)) {
    const opened = await openEnvironment(environment);
    try {
      const driven = await driveEpisodes(opened, make(), { episodes, seed: STARTS });
      const file = join(folder, `${name}.npz`);
      exportNpz(file, driven);
      const returns = driven.map((episode) => episode.return);
      progress(
        `${file}: ${episodes} episodes, return ${mean(returns).toFixed(1)}, lowest ${Math.min(...returns).toFixed(1)}`,
      );
    } finally {
      await opened.close();
    }
  }
}
