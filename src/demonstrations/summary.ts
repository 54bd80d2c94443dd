import type { RecordingReport } from './report.js';

/** One line per reason why something was left out, for people; empty if nothing was. */
export function describeLoss(report: RecordingReport): string[] {
  return [...report.problems, ...losses(report).map((text) => `${report.path}: ${text}`)];
}

function losses(report: RecordingReport): string[] {
  const lines: string[] = [];
  const add = (count: number, text: string): void => {
    if (count > 0) lines.push(`${count} ${text}`);
  };
  add(report.discarded, 'episodes were thrown away by the operator');
  add(report.uncertain ?? 0, 'episodes left out: their start or end was lost, so whether they were kept is not known');
  add(report.clockJumps, 'jumps of the clock (or silences as long) inside episodes; no transition reaches across them');
  add(report.splits, 'gaps inside episodes; no transition reaches across them');
  const { reasons, late, undecodableReasons, otherAction: other } = report;
  for (const { reason, count } of reasons?.list ?? []) add(count, `control periods left out: ${reason}`);
  if (reasons === undefined)
    for (const [problem, count] of Object.entries(report.ticks)) add(count, `control periods left out: ${problem}`);
  for (const { reason, count } of late?.list ?? []) add(count, `control periods before an episode left out: ${reason}`);
  const lost = report.ticks['command missing'] + report.ticks['command refused'];
  if (other != null && lost > report.transitions)
    lines.push(`${other.topic} has ${other.messages} messages: --action ${other.option} takes the actions from there`);
  for (const { reason, count } of undecodableReasons?.list ?? [])
    add(count, `messages that cannot be decoded: ${reason}`);
  if (undecodableReasons === undefined) add(report.undecodable, 'messages that cannot be decoded');
  add(report.contradictions, 'messages that contradict another with the same stamp');
  add(report.duplicates, 'messages recorded twice');
  return lines;
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** What was read from a recording, and what was left out of it and why, in one line. */
export function summariseRecording(report: RecordingReport): string {
  const { path, episodes, transitions, problems } = report;
  const left = [...problems.map((text) => text.replace(`${path}: `, '')), ...losses(report)];
  const read = `${path}: ${plural(episodes, 'episode')}, ${plural(transitions, 'transition')}`;
  return left.length === 0 ? read : `${read}; ${left.join('; ')}`;
}
