// Learns a policy from a recording of the rover by IQ-Learn, in the simulated rover, and writes it as a bundle.
import { vectorObservation } from 'iq_learn/common';
import { readDemonstrations } from 'iq_learn/demonstrations';
import { encodeBundle, writeBundle } from 'iq_learn/policy';
import { contractOf, loadRobotSpec } from 'iq_learn/robot';
import { learningEpisode } from 'iq_learn/sessions';
import { createTask, environmentOf } from 'iq_learn/simulation';
import { EnvironmentTrainer, runConfig, startLearner } from 'iq_learn/training';

const [folder, out = 'rover-policy', stepsText = '4000'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node dist/examples/train-from-recording.js FOLDER [OUT] [STEPS]');
const steps = Number(stepsText);
const seed = 0;

// 1. Demonstrations: the recording's topics become observations and actions by the robot's description.
const spec = loadRobotSpec('rover');
const { episodes } = await readDemonstrations([folder], spec);
const demonstrations = episodes.map((episode) => learningEpisode(episode, spec));

// 2. A learner. Its actor starts from behavioural cloning, because the demonstrations are few.
const config = runConfig(
  { agent: 'iq-sac', hiddenSizes: [64, 64], gamma: 0.95, warmStartUpdates: 500, actorDelay: 200 },
  { steps, updatesPerTransition: 1 },
);
const learner = await startLearner({
  config,
  observation: vectorObservation(spec.observation.length),
  actionSize: spec.action.length,
  seed,
  demonstrations,
});

// 3. Online learning: one update for every step that the policy makes of its own.
const environment = environmentOf(await createTask('rover', { maxSteps: 150 }));
const trainer = await EnvironmentTrainer.create({
  learner,
  environment,
  seed,
  randomSteps: 0,
  updateAfter: 100,
  updatesPerStep: 1,
});
for (let step = 1; step <= steps; step++) {
  const { metrics, episode } = await trainer.step();
  if (episode !== undefined) console.log(`step ${step}: an episode of ${episode.length} steps`, metrics ?? '');
}

// 4. A bundle: the policy with the contract that a robot must fulfil. `iq-learn evaluate --policy` takes it.
const bundle = await encodeBundle({ policy: learner.policyFunction(), contract: contractOf(spec), version: 1 });
writeBundle(out, bundle);
console.log(`written to ${out}`);
await trainer.dispose();
