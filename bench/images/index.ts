import { Random } from '../../src/common/index.js';
import { Actor, identityNormalisation, Learner, learnerConfig } from '../../src/learning/index.js';
import { type BenchResult, benchResult, type Figure, median, progress } from '../harness.js';
import { watchLoad } from '../load.js';
import { parseOptions } from '../options.js';

const OPTIONS = {
  side: { default: 48, help: 'rows and columns of the pictures' },
  channels: { default: 1, help: '1: grey, 3: colours' },
  pictures: { default: 300, help: 'pictures that are shown' },
  updates: { default: 300, help: 'gradient updates of 64 pictures' },
  noise: { default: 255, help: 'the brightest that a pixel beside the light can be; the light is 255' },
  threads: { default: 1, help: 'threads of the learner' },
} as const;
type Options = { readonly [name in keyof typeof OPTIONS]: number };

const UNSEEN = 200;
/** Side of the light, in sides of the picture. */
const LIGHT = 0.2;

/** A light anywhere in a noisy picture, and the command that it stands for: its place from left to right. */
function scene(random: Random, { side, channels, noise }: Options): { camera: Uint8Array; command: number } {
  const camera = Uint8Array.from({ length: side * side * channels }, () => random.integer(noise + 1));
  const place = 2 * random.uniform() - 1;
  const light = Math.round(LIGHT * side);
  const left = Math.round(((place + 1) / 2) * (side - light));
  const top = random.integer(side - light + 1);
  for (let y = top; y < top + light; y++)
    camera.fill(255, (y * side + left) * channels, (y * side + left + light) * channels);
  return { camera, command: 0.8 * place };
}

/** Clones the commands from pictures that pass convolutions, or whose bytes are features each. */
async function cloned(form: 'convolutions' | 'bytes', options: Options): Promise<Figure[]> {
  const { side, channels, pictures, updates, threads } = options;
  const random = Random.derive(1, 'pictures');
  const shown = Array.from({ length: pictures + 1 }, () => scene(random, options));
  const shape = form === 'bytes' ? [side * side * channels] : [side, side, channels];
  const learner = await Learner.create({
    config: learnerConfig({ agent: 'cloning', batchSize: 64 }),
    observation: [{ name: 'camera', shape, dtype: 'uint8', normalise: 'unit' }],
    actionSize: 1,
    normalisation: identityNormalisation(0),
    seed: 1,
    threads,
  });
  const bytes = new Uint8Array(shown.length * side * side * channels);
  for (const [i, { camera }] of shown.entries()) bytes.set(camera, i * camera.length);
  const actions = Float32Array.from(shown.slice(0, pictures), ({ command }) => command);
  learner.addDemonstration({ length: pictures, observations: { camera: bytes }, actions, terminated: false });
  const began = performance.now();
  await learner.update(updates);
  const perUpdate = (performance.now() - began) / updates;
  const actor = await Actor.create(learner.policyFunction());
  const times: number[] = [];
  let error = 0;
  for (let i = 0; i < UNSEEN; i++) {
    const { camera, command } = scene(random, options);
    const asked = performance.now();
    const [found] = await actor.act({ camera });
    times.push(performance.now() - asked);
    error += Math.abs(found! - command) / 2 / UNSEEN;
  }
  await actor.dispose();
  await learner.dispose();
  return [
    { name: `${form}: error`, value: 100 * error, unit: '%', note: `of the action's range, on ${UNSEEN} new pictures` },
    { name: `${form}: an update`, value: perUpdate, unit: 'ms', note: 'of 64 pictures' },
    { name: `${form}: an action`, value: median(times), unit: 'ms' },
  ];
}

/** Cloning from pictures: what the convolutions of large images are worth, and what they cost. */
export async function run(args: string[]): Promise<BenchResult> {
  const options = parseOptions('images', args, OPTIONS);
  const load = watchLoad();
  const figures: Figure[] = [];
  for (const form of ['convolutions', 'bytes'] as const) {
    progress(`${options.pictures} pictures of ${options.side} × ${options.side}, ${form}…`);
    figures.push(...(await cloned(form, options)));
  }
  figures.push(...load());
  return benchResult('images', args, figures);
}
