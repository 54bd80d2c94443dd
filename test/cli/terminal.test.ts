import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Display } from '#src/cli/display.js';
import { type Progress, panel, progressLine, sparkline } from '#src/cli/panel.js';
import { columns } from '#src/cli/table.js';
import { cli } from './support.js';

const progress: Progress = {
  phase: 'learning',
  done: 3000,
  total: 12_000,
  unit: 'steps',
  perSecond: 150,
  return: -12.3,
  success: 0.4,
  criticLoss: 0.5,
  actorLoss: -2,
  rewardExpert: 0.7,
  rewardPolicy: -0.6,
  returns: [-20, -15, -12],
};

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('progress', () => {
  it('is one line for a log: what was done, how fast, how long still, how well', () => {
    expect(progressLine(progress)).toBe(
      'learning: 3\u202f000 of 12\u202f000 steps, 150 steps/s, 1 min 0 s left, return −12.3, success 40 %, critic loss 0.500, actor loss −2.00, recovered reward: expert 0.700, policy −0.600',
    );
  });

  it('is a panel on a terminal, never wider than it', () => {
    for (const width of [30, 60, 79, 200])
      for (const line of panel(progress, width)) expect(line.length).toBeLessThanOrEqual(width);
    const text = panel(progress, 100).join('\n');
    expect(text).toContain('25 %');
    expect(text).toMatch(/expert +0\.700 +policy +−0\.600/);
    expect(text).toMatch(/▁.*█/);
  });

  it('shows what is known only', () => {
    expect(panel({ phase: 'demonstrating', done: 0, total: 5, unit: 'episodes' }, 80)).toHaveLength(1);
  });

  it('draws a sparkline between the smallest and the largest value', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 20)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([1, 1], 20)).toBe('▄▄');
    expect(sparkline([0, 5, 1, 2], 2)).toBe('▁█');
    expect(sparkline([], 20)).toBe('');
  });
});

describe('Display', () => {
  const shown = (isTTY: boolean, headless: boolean) => {
    let text = '';
    let nowMs = 0;
    const terminal = { isTTY, columns: 100, write: (part: string) => (text += part) };
    const display = new Display(terminal, { headless, nowMs: () => nowMs });
    return { display, text: () => text, wait: (ms: number) => (nowMs += ms) };
  };

  it('draws a panel over itself on a terminal', () => {
    const { display, text, wait } = shown(true, false);
    display.show(progress);
    wait(1000);
    display.show({ ...progress, done: 4000 });
    display.close();
    expect(text().split('\x1b[4A\x1b[J')).toHaveLength(3);
    expect(text().endsWith('\x1b[4A\x1b[J')).toBe(true);
  });

  it.each([
    ['in a pipe', false, false],
    ['headless', true, true],
  ])('%s writes plain lines now and then, and the last one always', (_, isTTY, headless) => {
    const { display, text, wait } = shown(isTTY, headless);
    for (let done = 0; done <= 12_000; done += 100) {
      display.show({ ...progress, done });
      wait(100);
    }
    display.close();
    const lines = text().trimEnd().split('\n');
    // 12 s at a line every 4 s, and the last.
    expect(lines).toHaveLength(4);
    expect(lines.at(-1)).toContain('12\u202f000 of 12\u202f000');
    expect(text()).not.toContain('\x1b');
  });
});

describe('what is shown', () => {
  const shown = (options: Partial<ConstructorParameters<typeof Display>[1]>) => {
    let text = '';
    let nowMs = 0;
    const terminal = { isTTY: true, columns: 80, write: (part: string) => (text += part) };
    const display = new Display(terminal, { headless: false, ...options, nowMs: () => nowMs });
    display.say('a note');
    display.show({ phase: 'evaluating', done: 0, total: 50, unit: 'episodes' });
    nowMs = 10_000;
    display.show({ phase: 'evaluating', done: 20, total: 50, unit: 'episodes', return: 3, returns: [1, 5] });
    display.warn('something is wrong');
    display.close();
    return text;
  };

  it('is only warnings where it is to be quiet', () => {
    expect(shown({ quiet: true })).toBe('warning: something is wrong\n');
  });

  it('is one JSON object a line for machines', () => {
    const lines = shown({ logFormat: 'json' })
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'a note'],
      ['info', 'progress'],
      ['info', 'progress'],
      ['warn', 'something is wrong'],
    ]);
    expect(lines[2]).toMatchObject({
      phase: 'evaluating',
      done: 20,
      total: 50,
      return: 3,
      perSecond: 2,
      secondsLeft: 15,
    });
  });

  it('has a rate and the time left for every phase', () => {
    expect(shown({ headless: true })).toContain('20 of 50 episodes, 2.00 episodes/s, 15 s left');
  });
});

describe('the logger of a node', () => {
  const log = (environment: Record<string, string>) =>
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        "import { createNodeLogger } from './dist/src/platform/index.js'; const log = createNodeLogger('n'); log.info('hello', { steps: 3 }); log.debug('detail');",
      ],
      { cwd: ROOT, encoding: 'utf8', env: { ...process.env, ...environment } },
    );

  it('writes lines for people, or JSON, from its level on', () => {
    expect(log({}).stderr).toMatch(/^\S+ INFO {2}\[n\] hello \{"steps":3\}\n$/);
    expect(JSON.parse(log({ IQ_LEARN_LOG_FORMAT: 'json' }).stderr)).toMatchObject({
      node: 'n',
      message: 'hello',
      steps: 3,
    });
    expect(log({ IQ_LEARN_LOG_LEVEL: 'debug' }).stderr).toContain('detail');
    expect(log({ IQ_LEARN_LOG_LEVEL: 'warn' }).stderr).toBe('');
    expect(log({}).stdout).toBe('');
  });

  it('warns of a level that is none, and goes on', () => {
    const { stderr, status } = log({ IQ_LEARN_LOG_LEVEL: 'loud' });
    expect(status).toBe(0);
    expect(stderr).toContain("IQ_LEARN_LOG_LEVEL is 'loud'");
    expect(stderr).toContain('hello');
  });
});

describe('columns', () => {
  it('puts numbers to the right and texts to the left', () => {
    expect(
      columns([
        ['name', 'type', 'count'],
        ['/a', 'x', '5'],
        ['/long', 'long', '−10'],
      ]),
    ).toBe('name    type   count\n/a      x          5\n/long   long     −10');
  });
});

describe('--help', () => {
  it('lists every command', async () => {
    const { code, stdout } = await cli('--help');
    expect(code).toBe(0);
    for (const name of [
      'demo',
      'record',
      'train',
      'evaluate',
      'expert',
      'reward',
      'inspect',
      'convert',
      'merge',
      'trim',
      'split',
      'devices',
    ])
      expect(stdout).toMatch(new RegExp(`^ +${name} `, 'm'));
  });

  it.each([
    'demo',
    'record',
    'train',
    'evaluate',
    'expert',
    'reward',
    'inspect',
    'convert',
    'merge',
    'trim',
    'split',
    'devices',
  ])('of %s shows examples that it understands', async (name) => {
    const { code, stdout } = await cli(name, '--help');
    expect(code).toBe(0);
    const examples = [...stdout.matchAll(/^ +\$ iq-learn (\S+)(.*)$/gm)];
    expect(examples.length).toBeGreaterThan(0);
    for (const [, command, rest] of examples) {
      expect(command).toBe(name);
      for (const [flag] of rest!.matchAll(/--[a-z]+(-[a-z]+)*/g))
        expect(stdout).toMatch(new RegExp(`^  ${flag}[ ,]`, 'm'));
    }
  });
});
