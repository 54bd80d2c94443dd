// A short training on a task as a process of its own, to be killed: node environment-trainer-run.mjs <folder> [last step]. It
// goes on from the newest checkpoint if there is one, saves one every few steps and says the steps made. Where it was
// not killed before the last step, it waits for it there.
import { ActionRange, Random, vectorObservation } from '#src/common/index.js';
import { identityNormalisation, Learner, learnerConfig } from '#src/learning/index.js';
import { loadCheckpoint, saveCheckpoint } from '#src/platform/index.js';
import { EnvironmentTrainer } from '#src/training/index.js';

const [folder, last] = process.argv.slice(2);
const STEPS = 160;

/** A point on a line that slips at random; it falls off at ±1.5, anywhere in an episode. */
class Slider {
  observation = vectorObservation(2);
  actionRange = new ActionRange([-2], [2]);
  #x = 0;
  #t = 0;
  #random = new Random(0);

  reset(seed) {
    this.#random = new Random(seed);
    this.#x = this.#random.uniform(-1, 1);
    this.#t = 0;
    return [this.#x, 0];
  }

  step(action) {
    this.#x += 0.2 * action[0] + 0.05 * this.#random.normal();
    this.#t++;
    const terminated = Math.abs(this.#x) > 1.5;
    return { observation: [this.#x, this.#t / 30], reward: -Math.abs(this.#x), terminated, truncated: this.#t >= 30 };
  }

  snapshot() {
    const { words, spare } = this.#random.state;
    return Float64Array.of(this.#x, this.#t, ...words, spare ?? Number.NaN);
  }

  restore([x, t, a, b, c, d, spare]) {
    this.#x = x;
    this.#t = t;
    this.#random = Random.fromState({ words: [a, b, c, d], spare: Number.isNaN(spare) ? null : spare });
  }
}

async function begin() {
  const learner = await Learner.create({
    config: learnerConfig({
      agent: 'sac',
      hiddenSizes: [8],
      batchSize: 8,
      bufferSize: 60,
      critics: 2,
      learnTemperature: true,
    }),
    observation: vectorObservation(2),
    actionSize: 1,
    normalisation: identityNormalisation(2),
    seed: 3,
    threads: 1,
  });
  const environment = new Slider();
  return EnvironmentTrainer.create({
    learner,
    environment,
    seed: 3,
    randomSteps: 20,
    updateAfter: 10,
    updatesPerStep: 0.7,
  });
}

async function goOn() {
  try {
    return await EnvironmentTrainer.resume(loadCheckpoint(folder), new Slider(), { threads: 1 });
  } catch (error) {
    if (error.code === 'NOT_FOUND') return await begin();
    throw error;
  }
}

const training = await goOn();
process.stdout.write(`from ${training.steps}\n`);
while (training.steps < STEPS) {
  const { metrics } = await training.step();
  if (training.steps % 3 === 0) saveCheckpoint(folder, await training.checkpoint());
  process.stdout.write(`${JSON.stringify({ steps: training.steps, metrics: metrics ?? null })}\n`);
  if (training.steps === Number(last)) await new Promise(() => setInterval(() => {}, 1000));
}
saveCheckpoint(folder, await training.checkpoint());
await training.dispose();
