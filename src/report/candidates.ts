import { IqLearnError } from '../common/index.js';
import { colourVariable, type ReportCandidate } from './data.js';

const row = (
  id: string,
  label: string,
  role: ReportCandidate['role'],
  light: string,
  dark: string,
): ReportCandidate => ({ id, label, role, colour: { light, dark } });

export const expertCandidate = row('expert', 'Expert', 'expert', '#00845f', '#3ecf9b');
export const randomCandidate = row('random', 'Random', 'chance', '#8892a2', '#7b8696');

/** Candidates by the name of the agent that made their policy, which the bundle has under `training.algorithm`. */
const byAlgorithm: Readonly<Record<string, ReportCandidate>> = {
  'iq-sac': row('iq-learn', 'IQ-Learn', 'learned', '#2457d6', '#6ea1ff'),
  'iq-soft-q': row('iq-soft-q', 'IQ-Learn, soft Q', 'learned', '#5a3fc0', '#a993ff'),
  sac: row('sac', 'SAC', 'learned', '#a0287a', '#f08bcb'),
  'soft-q': row('soft-q', 'Soft Q', 'learned', '#8a3d9c', '#dc9bea'),
  cloning: row('behavioural-cloning', 'Behavioural cloning', 'baseline', '#c76a00', '#f2a541'),
  'cloning-discrete': row('cloning-discrete', 'Behavioural cloning, discrete', 'baseline', '#a35200', '#f7bb6e'),
  sqil: row('sqil', 'SQIL', 'baseline', '#9a5b3c', '#d99b7b'),
  'sqil-soft-q': row('sqil-soft-q', 'SQIL, soft Q', 'baseline', '#84483f', '#d5867a'),
  dac: row('dac', 'DAC', 'baseline', '#00798c', '#4fc3d6'),
};
/** Names of algorithms in bundles that were made before agents had names, and the agents that they mean. */
const earlierNames: Readonly<Record<string, string>> = { 'iq-learn': 'iq-sac', 'behavioural-cloning': 'cloning' };

/** The candidate for a policy that this algorithm made. An algorithm that is not known here is shown under its own name. */
export function candidateOf(algorithm: string): ReportCandidate {
  const known = byAlgorithm[earlierNames[algorithm] ?? algorithm];
  if (known !== undefined) return known;
  const id = algorithm
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return row(id === '' ? 'policy' : id, algorithm === '' ? 'Policy' : algorithm, 'learned', '#7a6a00', '#d8c84a');
}

/** A style sheet with the candidates' colours. Throws INVALID_ARGUMENT for an id or a colour that is not fit for CSS. */
export function candidateStyles(candidates: readonly ReportCandidate[]): string {
  for (const { id, colour } of candidates) {
    const bad = [colour.light, colour.dark].find((value) => !/^#[0-9a-f]{6}$/i.test(value));
    if (bad !== undefined || !/^[a-z][a-z0-9-]*$/.test(id))
      throw new IqLearnError('INVALID_ARGUMENT', 'a candidate of the report cannot be shown', {
        found: bad ?? `the id '${id}'`,
        expected: 'an id of small letters, digits and hyphens, and colours such as #2457d6',
      });
  }
  const variables = (theme: 'light' | 'dark'): string =>
    candidates.map(({ id, colour }) => `${colourVariable(id)}:${colour[theme]};`).join('');
  return [
    `:root{${variables('light')}}`,
    `@media (prefers-color-scheme: dark){:root:not([data-theme="light"]){${variables('dark')}}}`,
    `:root[data-theme="dark"]{${variables('dark')}}`,
    ...candidates.map(({ id }) => `.${id}{--c:var(${colourVariable(id)})}`),
  ].join('\n');
}
