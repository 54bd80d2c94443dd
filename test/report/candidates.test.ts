import { describe, expect, it } from 'vitest';
import { agentNames } from '#src/learning/index.js';
import { candidateStyles } from '#src/report/candidates.js';
import { candidateOf, expertCandidate, randomCandidate, renderReport } from '#src/report/index.js';
import { sampleReport } from './sample.js';

describe('the candidates of a report', () => {
  it('are named after the agent that made the policy: what SAC learned is not shown as IQ-Learn', () => {
    expect(candidateOf('sac')).toMatchObject({ id: 'sac', label: 'SAC' });
    expect(candidateOf('iq-sac')).toMatchObject({ id: 'iq-learn', label: 'IQ-Learn', role: 'learned' });
    expect(candidateOf('cloning')).toMatchObject({ id: 'behavioural-cloning', role: 'baseline' });
    const labels = agentNames.map((name) => candidateOf(name).label);
    expect(new Set(labels).size).toBe(agentNames.length);
    for (const [i, name] of agentNames.entries()) expect(labels[i]).not.toBe(name);
  });

  it('of bundles from before agents had names are the same', () => {
    expect(candidateOf('iq-learn')).toBe(candidateOf('iq-sac'));
    expect(candidateOf('behavioural-cloning')).toBe(candidateOf('cloning'));
  });

  it('may be of an algorithm that nobody here knows: it is shown by its own name', () => {
    const gail = candidateOf('GAIL 2');
    expect(gail).toMatchObject({ id: 'gail-2', label: 'GAIL 2' });
    expect(candidateStyles([gail])).toContain('.gail-2{--c:var(--candidate-gail-2)}');
    expect(candidateOf('')).toMatchObject({ id: 'policy', label: 'Policy' });
  });

  it('colour the page: each has its own in both themes', () => {
    const all = [expertCandidate, randomCandidate, ...agentNames.map(candidateOf)];
    for (const theme of ['light', 'dark'] as const)
      expect(new Set(all.map(({ colour }) => colour[theme])).size).toBe(all.length);
    const styles = candidateStyles(all);
    for (const { id, colour } of all) {
      expect(styles).toContain(`--candidate-${id}:${colour.light};`);
      expect(styles).toContain(`--candidate-${id}:${colour.dark};`);
    }
  });

  it('cannot smuggle a style into the page', () => {
    const bad = { ...candidateOf('sac'), id: 'x}body{display:none' };
    expect(() => candidateStyles([bad])).toThrow(/cannot be shown.*found: the id/);
    const colour = { light: 'red;}</style>', dark: '#000000' };
    expect(() => candidateStyles([{ ...candidateOf('sac'), colour }])).toThrow(/cannot be shown/);
  });

  it('are as many as the report is given, with the labels it is given', () => {
    const data = sampleReport();
    const sqil = candidateOf('SQIL');
    const results = [...data.results, { policy: sqil.id, episodes: data.results[0]!.episodes }];
    const text = renderReport({ ...data, candidates: [...data.candidates, sqil], results });
    expect(text).toContain('<span class="label">SQIL</span>');
    expect(text).toMatch(/Beside it: expert .*sqil \d+ of 50/);
  });
});
