// An environment of one's own: a point on a line that has to be brought to 0. Three demonstrations of a hand-written
// controller are enough for IQ-Learn to imitate it.
import { ActionRange, vectorObservation } from 'iq_learn/common';
import { Actor, type Episode, type LearnerSettings } from 'iq_learn/learning';
import type { Environment } from 'iq_learn/simulation';
import { EnvironmentTrainer, evaluateOnTask, runConfig, startLearner } from 'iq_learn/training';

/** Position and velocity, accelerated by the action; 50 steps an episode. */
class Point implements Environment {
  readonly observation = vectorObservation(2);
  readonly actionRange = new ActionRange([-1], [1]);
  #state = [0, 0];
  #step = 0;

  reset(seed: number): readonly number[] {
    this.#step = 0;
    this.#state = [2 * Math.sin(seed * 12.9898), 0];
    return this.#state;
  }

  step(action: ArrayLike<number>) {
    const speed = 0.9 * this.#state[1]! + 0.1 * action[0]!;
    this.#state = [this.#state[0]! + speed, speed];
    const reward = -Math.abs(this.#state[0]!);
    return { observation: this.#state, reward, terminated: false, truncated: ++this.#step === 50 };
  }
}

/** An episode of the controller that is to be imitated. */
function demonstrate(seed: number): Episode {
  const environment = new Point();
  const observations = [...environment.reset(seed)];
  const actions: number[] = [];
  for (let done = false; !done; ) {
    const [x, v] = observations.slice(-2) as [number, number];
    actions.push(Math.max(-1, Math.min(1, -1.5 * x - 6 * v)));
    const { observation, truncated } = environment.step(actions.slice(-1));
    observations.push(...observation);
    done = truncated;
  }
  const arrays = { observations: Float32Array.from(observations), actions: Float32Array.from(actions) };
  return { length: actions.length, ...arrays, terminated: false };
}

const steps = Number(process.argv[2] ?? 1500);
const rates = { actorLearningRate: 1e-3, criticLearningRate: 1e-3, actorAveraging: 0.01 };
const horizon = { gamma: 0.9, tau: 0.05, regMult: 1 }; // what an action does shows soon here
const settings: LearnerSettings = { agent: 'iq-sac', hiddenSizes: [32, 32], batchSize: 64, ...horizon, ...rates };
const config = runConfig(settings, { steps, updatesPerTransition: 1 });
const demonstrations = [1, 2, 3].map(demonstrate);
const spaces = { observation: new Point().observation, actionSize: 1 };
const learner = await startLearner({ config, ...spaces, seed: 1, demonstrations });
const pace = { seed: 1, randomSteps: 100, updateAfter: 100, updatesPerStep: 1 };
const trainer = await EnvironmentTrainer.create({ learner, environment: new Point(), ...pace });
while (trainer.steps < steps) await trainer.step();
const actor = await Actor.create(learner.policyFunction());
const results = await evaluateOnTask(actor, new Point(), { episodes: 10, seed: 1000 });
const mean = results.reduce((sum, each) => sum + each.return, 0) / results.length;
console.log(`mean return of ten fresh starts: ${mean.toFixed(1)}`);
await Promise.all([actor.dispose(), trainer.dispose()]);
