// A policy bundle at work without any node: observation → policy → safety filter → command message. Here the rover's
// simulated task stands for the robot. On a real robot the policy node does the same, with topics and watchdogs.
import { readBundle } from 'iq_learn/policy';
import { checkContract, createActionMapper, createSafetyFilter, loadRobotSpec } from 'iq_learn/robot';
import { createTask } from 'iq_learn/simulation';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node dist/examples/deploy-bundle.js BUNDLE');

// A bundle that was altered, or that was made for another robot, is refused here.
const spec = loadRobotSpec('rover');
const policy = await readBundle(folder);
checkContract(policy.contract, spec);

const filter = createSafetyFilter(spec);
const mapper = createActionMapper(spec);
const task = await createTask('rover', { maxSteps: 200 });
const periodNs = BigInt(Math.round(1e9 / spec.rateHz));

let observation = task.reset(7);
for (let step = 0n; ; step++) {
  const nowNs = step * periodNs;
  const action = await policy.act(observation);
  // The filter trusts nothing: it limits range and rate, and stops the robot where anything is late or not finite.
  const { command, state, reason } = filter.step({
    nowNs,
    action,
    actionExpiryNs: nowNs + 2n * periodNs,
    observationStampAgeMs: 0,
    takeover: null,
    estop: false,
    heartbeatNs: null,
  });
  if (reason !== '') console.log(`${state}: ${reason}`);
  if (step % 20n === 0n)
    console.log(JSON.stringify(mapper.toMessage(command, nowNs), (_, x) => (typeof x === 'bigint' ? String(x) : x)));
  const { observation: next, terminated, truncated } = task.step(command);
  observation = next;
  if (terminated || truncated) {
    console.log(`${terminated ? 'arrived' : 'out of time'} after ${step + 1n} steps`);
    break;
  }
}
await policy.dispose();
