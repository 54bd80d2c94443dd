// Writes rows of metrics to the folder argv[2], from step argv[3] up, without end, and says so after the first ones.
import { MetricsLog } from '../../dist/src/platform/index.js';

const [, , folder, from = '0'] = process.argv;
// Where the size of files is limited, a write fails as on a full disk instead of ending the process.
process.on('SIGXFSZ', () => undefined);
const log = new MetricsLog({
  folder,
  sinks: ['csv', 'jsonl', 'tensorboard'],
  cutFrom: Number(from),
  onProblem: (problem) => {
    console.log(problem.message);
    process.exit(0);
  },
});
for (let step = Number(from); ; step++) {
  const values = { 'train/critic_loss': Math.sin(step), 'train/actor_loss': Math.cos(step), 'time/fps': step / 7 };
  log.write(step, step % 3 === 0 ? { ...values, 'eval/mean_reward': step } : values);
  if (step === Number(from) + 50) console.log('writing');
}
