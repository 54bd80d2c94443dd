import { describe, expect, it } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import { type ReportData, renderReport, sceneReplay, summarise } from '#src/report/index.js';
import { sampleReport } from './sample.js';

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&\u2028<!--`;

/** The same data with a hostile text wherever a text can come from outside. */
function hostileReport(): ReportData {
  const sample = sampleReport();
  return {
    ...sample,
    robot: HOSTILE,
    description: HOSTILE,
    command: HOSTILE,
    machine: HOSTILE,
    notes: [HOSTILE],
    versions: { [HOSTILE]: HOSTILE },
    settings: [{ name: HOSTILE, value: HOSTILE }],
    replays: sample.replays.map((replay) => ({
      ...replay,
      bodies: replay.bodies.map((body) => ({ ...body, name: HOSTILE })),
    })),
  };
}

describe('renderReport', () => {
  it('is one file below 3 MB that names no other', () => {
    const text = renderReport(sampleReport());
    expect(text.length).toBeLessThan(3_000_000);
    const markup = text.replace(/<(script|style)\b[\s\S]*?<\/\1>/g, '');
    expect(markup).not.toMatch(/\b(src|href)="(?!data:)/);
    expect(markup).toContain('default-src &#39;none&#39;');
  });

  it('escapes every text in the markup and in the data', () => {
    const text = renderReport(hostileReport());
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain('<img');
    // As many script elements as without the hostile text: none was ended or opened by it.
    const scripts = (document: string): number => document.match(/<\/?script\b/gi)!.length;
    expect(scripts(text)).toBe(scripts(renderReport(sampleReport())));
    const json = /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(text)![1]!;
    expect((JSON.parse(json) as ReportData).robot).toBe(HOSTILE);
  });

  it('says which policy was chosen, also where it is the mean of several', () => {
    const sample = sampleReport();
    const point = { distance: 0.2, worst: 0.4, episodes: 5, return: 10, final: false };
    const final = { ...point, episodes: 40, final: true };
    const choice = [
      { ...point, transitions: 1000 },
      { ...point, transitions: 2000 },
      { ...final, transitions: 2000, meanOf: [1000, 2000] },
      { ...final, transitions: 1000, distance: 0.19 },
    ];
    const text = renderReport({ ...sample, learning: { ...sample.learning, choice } });
    expect(
      [...text.matchAll(/<th scope="row">([^<]*steps[^<]*)</g)].map(([, row]) => row!.replace(/\s/g, ' ')),
    ).toEqual(['mean of 1 000, 2 000 steps (deployed)', '1 000 steps']);
  });

  it('says how often learning was taken back because it diverged', () => {
    const sample = sampleReport();
    const reportWith = (rollbacks: number): string => {
      const points = sample.learning.points.map((point) => ({
        ...point,
        metrics: { ...point.metrics, ...(rollbacks === 0 ? {} : { 'train/rollbacks': rollbacks }) },
      }));
      return renderReport({ ...sample, learning: { ...sample.learning, points } });
    };
    expect(reportWith(0)).not.toContain('id="rollbacks"');
    expect(reportWith(1)).toMatch(/id="rollbacks">Learning diverged once and was taken back/);
    expect(reportWith(3)).toContain('Learning diverged 3 times');
  });

  it('leaves out what a run does not have', () => {
    const text = renderReport({
      ...sampleReport(),
      hasSuccess: false,
      topView: null,
      replays: [],
      rewards: [],
      learning: { points: [], rollouts: [] },
      results: [],
    });
    expect(text).toContain('This run was not evaluated.');
    for (const id of ['results', 'driving', 'replay', 'rewards', 'learning'])
      expect(text).not.toContain(`<section id="${id}"`);
    expect(text).not.toContain('Success rate');
    expect(text.length).toBeLessThan(300_000);
  });

  it('shows the returns in the task as it was shown, where that is another one', () => {
    const sample = sampleReport();
    expect(renderReport(sample)).not.toContain('In the task as it was shown');
    const episode = { seed: 1, return: 17.25, length: 600, success: true };
    const text = renderReport({ ...sample, asShown: [{ policy: 'iq-learn', episodes: [episode, episode] }] });
    expect(text).toMatch(/In the task as it was shown[\s\S]*IQ-Learn<\/th><td>17\.3? ?/);
  });

  it('says what was reached, with its numbers', () => {
    const sample = sampleReport();
    const counts = sample.results.map(({ episodes }) => summarise(episodes).successes);
    const text = renderReport(sample);
    expect(text).toContain(`The learned policy succeeded in ${counts[1]} of 50 fresh starts.`);
    expect(text).toContain(
      `expert ${counts[0]} of 50, behavioural cloning ${counts[2]} of 50, random ${counts[3]} of 50`,
    );
  });
});

describe('summarise', () => {
  const episode = (value: number, success: boolean) => ({ seed: 0, return: value, length: 1, success });

  it('gives mean, sample deviation and the interval of Wilson', () => {
    const summary = summarise([episode(1, true), episode(2, true), episode(6, false)]);
    expect(summary.mean).toBe(3);
    expect(summary.deviation).toBeCloseTo(Math.sqrt(7), 12);
    // Wilson 1927 for 2 of 3, computed by hand with z = 1.96.
    expect(summary.successInterval[0]).toBeCloseTo(0.2077, 4);
    expect(summary.successInterval[1]).toBeCloseTo(0.9385, 4);
  });

  it('keeps an honest interval where all or none succeed', () => {
    const all = summarise(Array.from({ length: 50 }, () => episode(1, true)));
    expect(all.successInterval[1]).toBeCloseTo(1, 12);
    expect(all.successInterval[0]).toBeCloseTo(0.92865, 4);
    expect(all.deviation).toBe(0);
  });
});

describe('sceneReplay', () => {
  const body = (name: string, rotation: number[], x = 0) => ({
    name,
    shape: 'box' as const,
    size: [1, 1, 1],
    rgba: [1, 1, 1, 1],
    position: [x, 0, 0],
    rotation,
  });
  const episode = { policy: 'expert' as const, seed: 1, success: true, stepSeconds: 0.1 };
  const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];

  it.each([
    ['a quarter about z', [0, -1, 0, 1, 0, 0, 0, 0, 1], [0, 0, Math.SQRT1_2, Math.SQRT1_2]],
    ['a half about x', [1, 0, 0, 0, -1, 0, 0, 0, -1], [1, 0, 0, 0]],
    ['a half about y', [-1, 0, 0, 0, 1, 0, 0, 0, -1], [0, 1, 0, 0]],
    ['a half about z', [-1, 0, 0, 0, -1, 0, 0, 0, 1], [0, 0, 1, 0]],
  ])('turns %s into its quaternion', (_, rotation, quaternion) => {
    const { bodies } = sceneReplay(episode, [[body('b', rotation)]]);
    quaternion.forEach((value, i) => {
      expect(bodies[0]!.poses[3 + i]).toBeCloseTo(value, 4);
    });
  });

  it('holds a body that stands still once, one that moves at every frame', () => {
    const frames = [0, 1, 2].map((x) => [body('still', identity), body('moving', identity, x)]);
    const { bodies, frames: count } = sceneReplay(episode, frames);
    expect(count).toBe(3);
    expect(bodies.map(({ poses }) => poses.length)).toEqual([7, 21]);
    expect(bodies[1]!.poses[14]).toBe(2);
  });

  it('refuses frames of different scenes', () => {
    expect(() => sceneReplay(episode, [[body('a', identity)], [body('b', identity)]])).toThrow(IqLearnError);
  });
});
