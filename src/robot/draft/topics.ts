/** What is known of a topic of a robot that has no description yet. */
export interface SeenTopic {
  readonly topic: string;
  readonly type: string;
  /** Messages a second; null where it is not known. */
  readonly hz: number | null;
  /** 0 for a topic that is offered, but of which nothing was heard. */
  readonly messages: number;
  /** Of its last message. */
  readonly frameId?: string;
  readonly childFrameId?: string;
  /** Names of joints, and whether their velocities are given. */
  readonly joints?: readonly string[];
  readonly hasVelocities?: boolean;
  /** How many numbers the messages of a list without names have. */
  readonly numbers?: number;
  /** Smallest and largest value seen of each number, by its path; of a joint by its name. */
  readonly ranges: ReadonlyMap<string, readonly [number, number]>;
}

/** A joint of a URDF that can be commanded. */
export interface JointLimits {
  readonly name: string;
  /** Position, rad or m; infinite for a joint that turns without end. */
  readonly low: number;
  readonly high: number;
  /** Largest velocity, rad/s or m/s; null where it is not said. */
  readonly velocity: number | null;
  readonly unit: 'rad' | 'm';
}

export interface DraftInputs {
  readonly name: string;
  readonly topics: readonly SeenTopic[];
  /** From a URDF; empty without one. */
  readonly joints: readonly JointLimits[];
  /** The command topics, where they are not to be guessed. */
  readonly commands?: readonly string[];
}

/** A name as descriptions take it. */
export const nameOf = (text: string): string =>
  text.replace(/^\/+/, '').replace(/\W+/g, '_').replace(/^(\d)/, '_$1') || 'robot';
export const is = (type: string, ...names: string[]): boolean =>
  names.some((name) => type === name || type.endsWith(`/${name}`));
/** Two significant digits, away from 0: a limit that what was seen fits into. */
export function outwards(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return 0;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  return Number((Math.sign(value) * Math.ceil(Math.abs(value) / step - 1e-9) * step).toPrecision(2));
}
export const text = (value: string): string => (/^[\w/.-]+$/.test(value) ? value : JSON.stringify(value));
export const list = (values: readonly string[]): string => `[${values.map(text).join(', ')}]`;

export const isSaidOnce = ({ hz, messages }: SeenTopic): boolean =>
  messages > 0 && (messages < 3 || (hz !== null && hz < 0.2));

/** Offered, but nothing was heard of it. A topic that a draft makes up has no rate either, and is not among those seen. */
export const isSilent = ({ messages }: SeenTopic): boolean => messages === 0;
