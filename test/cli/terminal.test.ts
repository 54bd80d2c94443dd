import { describe, expect, it } from 'vitest';
import { columns, Display, type Progress, panel, progressLine, sparkline } from '#src/cli/index.js';
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
    for (const name of ['demo', 'record', 'train', 'evaluate', 'expert', 'inspect', 'devices'])
      expect(stdout).toMatch(new RegExp(`^ +${name} `, 'm'));
  });

  it.each(['demo', 'record', 'train', 'evaluate', 'expert', 'inspect', 'devices'])(
    'of %s shows examples that it understands',
    async (name) => {
      const { code, stdout } = await cli(name, '--help');
      expect(code).toBe(0);
      const examples = [...stdout.matchAll(/^ +\$ iq-learn (\S+)(.*)$/gm)];
      expect(examples.length).toBeGreaterThan(0);
      for (const [, command, rest] of examples) {
        expect(command).toBe(name);
        for (const [flag] of rest!.matchAll(/--[a-z]+/g)) expect(stdout).toMatch(new RegExp(`^  ${flag}[ ,]`, 'm'));
      }
    },
  );
});
