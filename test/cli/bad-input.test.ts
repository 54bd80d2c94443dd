import { copyFileSync, cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCode } from '#src/cli/index.js';
import { checkSpace } from '#src/cli/run-folder.js';
import { lockFolder } from '#src/platform/index.js';
import { cli, inNewFolder, start, tree } from './support.js';

const description = (robot: string): string =>
  readFileSync(fileURLToPath(new URL(`../../config/robots/${robot}.yaml`, import.meta.url)), 'utf8');

/** A copy of a file with the byte in its middle turned around. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 0xff;
  writeFileSync(path, bytes);
}

let folder: ReturnType<typeof inNewFolder>;

beforeAll(async () => {
  folder = inNewFolder();
  expect((await cli('record', '--robot', 'rover', '--episodes', '1', '--out', 'recording')).code).toBe(0);
  const train = [
    'train',
    '--recording',
    'recording',
    '--robot',
    'rover',
    '--steps',
    '200',
    '--out',
    'run',
    '--settings',
    'quick.yaml',
  ];
  expect((await cli(...train)).code).toBe(0);

  const spec = (name: string, from: string, to: string, robot = 'rover'): void => {
    const text = description(robot);
    expect(text).toContain(from);
    writeFileSync(name, text.replace(from, to));
  };
  spec('type.yaml', 'rate_hz: 10', 'rate_hz: fast');
  spec('unit.yaml', 'unit: m/s', 'unit: furlong');
  spec('field.yaml', 'rate_hz:', 'rate_hertz:');
  spec('joint.yaml', 'name: leg_joint, joint: leg_joint', 'name: leg_joint', 'hopper');
  writeFileSync('text.yaml', 'robot: [');
  writeFileSync('unknown.yaml', 'stepps: 5');
  writeFileSync('learner.yaml', 'learner: { agent: iq-sac, gama: 0.9 }');
  writeFileSync('range.yaml', 'learner: { agent: iq-sac, gamma: 2 }');
  writeFileSync('flat.yaml', 'learner: { gamma: 0.9 }');
  writeFileSync('top.yaml', 'regMult: 2');

  mkdirSync('nothing');
  writeFileSync('empty.mcap', '');
  writeFileSync('noise.mcap', Buffer.alloc(4096, 7));
  copyFileSync('recording/recording_0.mcap', 'cut.mcap');
  truncateSync('cut.mcap', 3000);

  for (const name of ['altered', 'cut', 'edited']) cpSync('run/policy', name, { recursive: true });
  damage('altered/policy.onnx');
  truncateSync('cut/policy.onnx', 1000);
  writeFileSync(
    'edited/manifest.json',
    readFileSync('run/policy/manifest.json', 'utf8').replace('"rover"', '"hopper"'),
  );
  writeFileSync('file', 'in the way');
  mkdirSync('full');
  writeFileSync('full/precious', 'data');
});

afterAll(() => folder.leave());

/** command line, exit code, what the line must say */
const ROWS: readonly [name: string, args: string, code: number, said: readonly (string | RegExp)[]][] = [
  ['unknown command', 'dmeo', 2, ["'dmeo'", "did you mean 'demo'?"]],
  ['unknown option', 'demo --robto rover', 2, ["'--robto'", "did you mean '--robot'?"]],
  ['unknown robot', 'demo --robot rovr', 2, ["'rovr'", "did you mean 'rover'?"]],
  ['unknown task', 'expert --task hoppr', 2, ["'hoppr'", "did you mean 'hopper'?"]],
  ['unknown device', 'demo --device gpu', 2, ["'gpu'", 'device']],
  ['missing option', 'evaluate --robot rover', 2, ['--policy']],
  ['missing value', 'demo --robot', 2, ['--robot']],
  ['missing argument', 'inspect', 2, ['<path>']],
  ['too many arguments', 'demo rover', 2, ['demo']],
  ['a seed that is none', 'demo --seed 1.5', 2, ["'1.5'", '0…4294967295']],
  ['a place for metrics that is none', 'demo --log csv,tensorbord', 2, ["'tensorbord'", 'tensorboard']],
  ['a log level that is none', 'demo --log-level information', 2, ["'information'", 'info']],
  ['a number out of range', 'record --robot rover --episodes 0', 2, ["'0'", '1…10000']],
  ['a number of seconds that is none', 'trim bag --from NaN --out cut', 2, ["'NaN'", '0 or more']],
  ['a name that is like no other', 'record --robot -1 --out cut', 2, ["'-1'", 'give one of these']],
  ['a name that leads elsewhere', 'demo --name ../x', 2, ["'../x'"]],
  ['RobotSpec: wrong type', 'demo --robot ./type.yaml', 2, ['type.yaml', 'rate_hz', 'fast']],
  ['RobotSpec: wrong unit', 'demo --robot ./unit.yaml', 2, ['unit.yaml', 'furlong']],
  ['RobotSpec: unknown field', 'demo --robot ./field.yaml', 2, ['field.yaml', 'rate_hertz', /rate_hz/]],
  ['RobotSpec: missing joint', 'demo --robot ./joint.yaml', 2, ['joint.yaml:26', 'action[1]', 'no joint']],
  ['RobotSpec: no YAML', 'demo --robot ./text.yaml', 2, ['text.yaml']],
  ['RobotSpec: no file', 'demo --robot ./none.yaml', 2, ['none.yaml', 'no such file']],
  ['settings: unknown field', 'demo --settings unknown.yaml', 2, ['unknown.yaml', 'stepps', 'steps']],
  ['settings: unknown field of the learner', 'demo --settings learner.yaml', 2, ["'gama'", "did you mean 'gamma'?"]],
  ['settings: out of range', 'demo --settings range.yaml', 2, ['gamma', '2']],
  ['settings: the old flat form', 'demo --settings flat.yaml', 2, ['agent', 'learner: { agent: iq-sac, … }']],
  ['settings: of the learner at the top', 'demo --settings top.yaml', 2, ['learner: { agent: iq-sac, regMult: … }']],
  ['settings: no file', 'demo --settings none.yaml', 2, ['none.yaml', 'no such file']],
  ['no expert', 'record --robot franka', 2, ['franka', 'docs/driving.md', '--expert']],
  ['no recording', 'train --robot rover --recording none', 2, ['none']],
  ['an empty folder', 'train --robot rover --recording nothing', 2, ['nothing', 'empty folder']],
  ['an empty recording', 'train --robot rover --recording empty.mcap', 2, ['empty.mcap']],
  ['a corrupt recording', 'train --robot rover --recording noise.mcap', 2, ['noise.mcap', '07070707']],
  ['a recording cut to nothing', 'train --robot rover --recording cut.mcap', 2, ['cut.mcap']],
  ["another robot's recording", 'train --robot hopper --recording recording', 2, ["'rover'", "'hopper'"]],
  ['an altered policy', 'evaluate --robot rover --policy altered', 2, ['altered', 'SHA-256']],
  ['a cut policy', 'evaluate --robot rover --policy cut', 2, ['1000 bytes']],
  ['an edited manifest', 'evaluate --robot hopper --policy edited', 2, ['edited', 'digest']],
  ["another robot's policy", 'evaluate --robot hopper --policy run/policy', 2, ["'rover'", "'hopper'"]],
  ["another robot's policy as the expert", 'demo --robot hopper --expert run/policy', 2, ["'rover'", "'hopper'"]],
  ['no policy', 'evaluate --robot rover --policy nothing', 2, ['nothing']],
  ['a file where the run goes', 'record --robot rover --out file', 1, ['file']],
  ['a folder below a file', 'record --robot rover --out file/run', 1, ['file']],
  ['a folder that holds something', 'record --robot rover --out full', 1, ['precious', 'not empty']],
  ['figures that cannot be written', 'demo --json file/figures.json', 1, ['file/figures.json']],
  ['a training to resume that is none', 'train --resume --out nothing', 2, ['training.json']],
  ['a training to resume without a folder', 'train --resume', 2, ['--out']],
  ['an expert to resume without a name', 'expert --task hopper --resume', 2, ['--name']],
  ['nothing to inspect', 'inspect none', 2, ['none', 'no such file']],
  ['something else to inspect', 'inspect full', 2, ['precious']],
];

describe('bad input', () => {
  it.each(ROWS)('%s: %s', async (_, args, code, said) => {
    const before = tree('.');
    const ended = await cli(...args.split(' '));
    expect(ended.stderr).toMatch(/^error: [^\n]+\n$/);
    for (const part of said) expect(ended.stderr).toMatch(part);
    expect(ended.stderr).toContain('; to do: ');
    expect(ended.code).toBe(code);
    expect(ended.stdout).toBe('');
    expect(tree('.')).toEqual(before);
  });

  it('shows how to call it when called without a command', async () => {
    const { code, stderr } = await cli();
    expect(code).toBe(exitCode.badInput);
    expect(stderr).toContain('Usage: iq-learn');
  });

  it('refuses a run folder that another run holds', async () => {
    const lock = lockFolder('runs/held');
    try {
      const { code, stderr } = await cli('demo', '--name', 'held');
      expect(code).toBe(exitCode.failure);
      expect(stderr).toContain(`process ${process.pid} holds`);
    } finally {
      lock.release();
    }
  });

  it('refuses a disk without room before any work', () => {
    const statfs = (() => ({ bavail: 3, bsize: 1024 * 1024 })) as unknown as Parameters<typeof checkSpace>[1];
    expect(() => checkSpace('runs/new', statfs)).toThrow(/3 MiB free.*at least 256 MiB/);
    expect(() => checkSpace('runs/new')).not.toThrow();
  });

  it('goes on from the generation before a damaged one, and says so', async () => {
    cpSync('run', 'resumed', { recursive: true });
    // A later generation that is damaged: a copy of the newest with a changed array.
    const [newest] = tree('resumed/checkpoint').filter((name) => /^generation-\d+$/.test(name));
    const later = 'generation-00000099';
    cpSync(`resumed/checkpoint/${newest}`, `resumed/checkpoint/${later}`, { recursive: true });
    damage(`resumed/checkpoint/${later}/0.bin`);
    const ended = await cli('train', '--resume', '--out', 'resumed', '--steps', '300');
    expect(ended.stderr).toMatch(/warning: checkpoint .*generation-00000099 is damaged/);
    expect(ended.stderr).toContain('going on from 200 of 300 steps');
    expect(ended.code).toBe(0);
  });

  it('reads the recordings of a run that goes on as it read them when the run began', async () => {
    cpSync('run', 'elsewhere', { recursive: true });
    const plan = JSON.parse(readFileSync('elsewhere/training.json', 'utf8'));
    expect(plan.reading).toEqual({});
    writeFileSync('elsewhere/training.json', JSON.stringify({ ...plan, reading: { namespace: 'bot9' } }));
    const ended = await cli('train', '--resume', '--out', 'elsewhere', '--steps', '300');
    expect(ended.stderr).toMatch(
      /warning: .*bot9.*; the run goes on, and its last policy is deployed without a comparison/,
    );
    expect(ended.code).toBe(0);
    expect(JSON.parse(readFileSync('elsewhere/training.json', 'utf8')).reading).toEqual({ namespace: 'bot9' });
  });

  it('refuses a checkpoint of which nothing is whole', async () => {
    cpSync('run', 'lost', { recursive: true });
    for (const name of tree('lost/checkpoint').filter((each) => each.endsWith('manifest.json')))
      writeFileSync(`lost/checkpoint/${name}`, '{}');
    const ended = await cli('train', '--resume', '--out', 'lost');
    expect(ended.stderr).toMatch(/error: no checkpoint in .* is whole/);
    expect(ended.code).toBe(exitCode.badInput);
  });

  it('says what to do when onnxruntime does not load', async () => {
    const hook = `data:text/javascript,${encodeURIComponent(
      `import { register } from 'node:module';
       register('data:text/javascript,' + encodeURIComponent(\`export async function resolve(name, context, next) {
         if (name === 'onnxruntime-node') throw new Error('libonnxruntime.so.1: cannot open shared object file');
         return next(name, context);
       }\`));`,
    )}`;
    const args = ['evaluate', '--robot', 'rover', '--policy', 'run/policy'];
    const { code, stderr } = await start(args, { cwd: '.', node: ['--import', hook] }).ended;
    expect(stderr).toMatch(/^error: [^\n]*onnxruntime[^\n]*cannot open shared object file[^\n]*; to do: [^\n]+\n$/);
    expect(code).toBe(exitCode.failure);
  });
});
