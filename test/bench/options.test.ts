import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { HelpRequested, parseOptions } from '../../dist/bench/options.js';

const RUN = fileURLToPath(new URL('../../dist/bench/run.js', import.meta.url));
const bench = (...args: string[]) => spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8' });

const SPECS = {
  steps: { default: 100, help: 'how far' },
  'final-episodes': { default: 10, help: 'episodes at the end' },
  task: { default: 'hopper', help: 'which' },
  data: { default: null, help: 'a file' },
  resume: { default: false, help: 'go on' },
  peers: { default: null, help: 'a folder' },
  'no-peers': { default: false, help: 'ours alone' },
} as const;
const STANDARD = {
  ...{ steps: 100, 'final-episodes': 10, task: 'hopper', data: null, resume: false },
  ...{ peers: null, 'no-peers': false },
};
const parse = (...args: string[]) => parseOptions('learn', args, SPECS);

describe('options of a bench', () => {
  it('have their defaults, with their types', () => {
    expect(parse()).toEqual(STANDARD);
  });

  it('are given with a space or an equals sign', () => {
    expect(parse('--steps', '5', '--final-episodes=2', '--data={"a":-1}', '--resume')).toEqual({
      ...STANDARD,
      steps: 5,
      'final-episodes': 2,
      data: '{"a":-1}',
      resume: true,
    });
    expect(parse('--no-peers')).toEqual({ ...STANDARD, 'no-peers': true });
    expect(parse('--peers', 'venv')).toEqual({ ...STANDARD, peers: 'venv' });
  });

  it('that are unknown are refused with the nearest known one', () => {
    expect(() => parse('--step', '5')).toThrow(/--step\b[\s\S]*--steps/);
    expect(() => parse('hopper')).toThrow(/hopper/);
  });

  it('that lack their value or have a bad one are refused', () => {
    expect(() => parse('--steps')).toThrow(/option --steps lacks its value/);
    expect(() => parse('--task', '--resume')).toThrow(/option --task lacks its value/);
    expect(() => parse('--steps', 'many')).toThrow(/bad value of --steps/);
    expect(() => parse('--steps=-1')).toThrow(/bad value of --steps/);
  });

  it('are listed by --help with their defaults', () => {
    expect(() => parse('--help')).toThrow(HelpRequested);
    expect(() => parse('--help')).toThrow(/--final-episodes <n> +episodes at the end \(default: 10\)/);
  });
});

describe('npm run bench', () => {
  it('lists the benches when it is called without arguments, and ends well', () => {
    const { status, stdout, stderr } = bench();
    expect(status).toBe(0);
    expect(stderr).toBe('');
    for (const name of ['update', 'policy', 'learn', 'memory', 'parity', 'ros2'])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  it('shows the options of one bench', () => {
    const { status, stdout } = bench('parity', '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: npm run bench -- parity/);
  });

  it('is wrongly called with an unknown bench, an unknown option or --json without a file', () => {
    for (const args of [['parety'], ['parity', '--nonsense'], ['parity', '--json']]) {
      const { status, stderr } = bench(...args);
      expect(status).toBe(2);
      expect(stderr).toMatch(/^(NOT_FOUND|INVALID_ARGUMENT): /);
    }
  });
});
