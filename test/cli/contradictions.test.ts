import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli, inNewFolder, tree } from './support.js';

let folder: ReturnType<typeof inNewFolder>;
beforeAll(() => {
  folder = inNewFolder();
  mkdirSync('run');
  writeFileSync('run/training.json', JSON.stringify({ robot: 'rover' }));
  mkdirSync('task-run');
  writeFileSync('task-run/training.json', JSON.stringify({ task: 'cartpole' }));
  mkdirSync('policy');
  writeFileSync('robot.yaml', 'robot: mine\n');
});
afterAll(() => folder.leave());

/** Command line, and what its one line of error must say: what was found, and the option that would not have been read. */
const ROWS: readonly [args: string, ...said: string[]][] = [
  ['train --task cartpole --robot rover', '--task cartpole with --robot rover', 'expected: --task without --robot'],
  ['train --task cartpole --recording a b --clock log', '--recording a b, --clock log'],
  ['train --task cartpole --offline', '--task cartpole with --offline'],
  ['train --task cartpole --device cuda', '--device cuda', 'on the CPU'],
  ['train --task cartpole --namespace bot1 --action command', '--action command, --namespace bot1'],
  ['train --offline --robot rover --recording a --settings quick.yaml', '--offline with --settings quick.yaml'],
  ['train --offline --robot rover --recording a --agent sqil', '--agent'],
  ['train --offline --robot rover --recording a --states-only', '--states-only'],
  ['train --offline --robot rover --recording a --resume', '--offline with --resume', 'begin again'],
  ['train --robot rover --recording a --demonstrations a.npz', '--demonstrations a.npz', '.npz files go with --task'],
  ['train --resume --out run --robot arm --recording a', '--resume with --recording a, --robot arm'],
  ['train --resume --out run --namespace bot1 --clock log', '--namespace bot1, --clock log', 'what it began with'],
  ['train --resume --out run --seed 3 --settings quick.yaml', '--settings quick.yaml, --seed 3', 'what it began with'],
  ['train --resume --out run --task cartpole', '--resume with --task cartpole'],
  ['train --resume --out task-run --task gridworld', '--resume with --task gridworld'],
  ['train --resume --out task-run --robot rover --device cuda', '--robot rover, --device cuda'],
  ['evaluate --robot rover --policy policy --blind', '--policy policy with --blind', 'give several policies'],
  ['inspect robot.yaml --robot rover --action command', 'inspecting a robot', '--robot rover, --action command'],
  ['reward --run run --demonstrations a.npz', '--run run with --demonstrations a.npz', 'with --recording'],
  ['reward --run task-run --recording a', '--run task-run with --recording a', 'with --demonstrations'],
  ['reward --run run --recording a --grid 0=0:1:3 --csv x.csv', 'rewards of steps and of a grid with --csv x.csv'],
  ['reward --run run --onnx r.onnx --csv x.csv', 'rewards of no steps and of no grid with --csv x.csv'],
];

it.each(ROWS)('%s: refused, with what would not have been read', async (args, ...said) => {
  const before = tree('.');
  const { code, stderr, stdout } = await cli(...args.split(' '));
  expect(stderr).toMatch(/^error: [^\n]+; found: [^\n]+; expected: [^\n]+; to do: [^\n]+\n$/);
  for (const part of said) expect(stderr).toContain(part);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(tree('.')).toEqual(before);
});
