import type { LookedAt } from './assembler-types.js';
import type { TopicState } from './topic-state.js';

/** Whether every topic of the state is known and fresh; if not, which are not and why, for people. */
export function lookAt(states: readonly TopicState[], nowNs: bigint): LookedAt {
  // Asked in every control cycle: what is said of a problem is only made where there is one.
  for (const state of states) if (!state.known) return missing(states);
  let stampNs = states[0]?.stampNs ?? 0n;
  let ageNs = 0n;
  for (const state of states) {
    if (state.stampNs > stampNs) stampNs = state.stampNs;
    if (state.timeoutNs === null) continue;
    const age = nowNs - state.receivedNs;
    if (age > state.timeoutNs) return stale(states, nowNs);
    if (age > ageNs) ageNs = age;
  }
  return { ok: true, stampNs, ageMs: Number(ageNs) / 1e6 };
}

function missing(states: readonly TopicState[]): LookedAt {
  const unknown = states.filter(({ known }) => !known);
  const text = unknown
    .map(({ spec: { topic, type }, why }) =>
      why === null ? `${topic} has not been heard, expected ${type}` : `${topic}: ${why.text}`,
    )
    .join('; ');
  return { ok: false, reason: 'missing', topics: unknown.map(({ spec }) => spec.topic), text };
}

function stale(states: readonly TopicState[], nowNs: bigint): LookedAt {
  const old = states.filter(({ timeoutNs, receivedNs }) => timeoutNs !== null && nowNs - receivedNs > timeoutNs);
  const text = old
    .map(({ spec, receivedNs, why }) => {
      const ageMs = Number(nowNs - receivedNs) / 1e6;
      const because = why === null ? '' : `: ${why.text}`;
      return `${spec.topic} is ${ageMs.toFixed(0)} ms old, timeout ${spec.timeoutMs} ms${because}`;
    })
    .join('; ');
  return { ok: false, reason: 'stale', topics: old.map(({ spec }) => spec.topic), text };
}

/** There is no state yet after a jump of the clock. */
export function jumped({ topic, byMs }: { readonly topic: string; readonly byMs: number }): LookedAt {
  const text = `the clock of ${topic} jumped by ${byMs} ms; what was known before is dropped`;
  return { ok: false, reason: 'clock_jump', topics: [topic], text };
}
