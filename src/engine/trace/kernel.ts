import type { GraphBuilder, IrType, Value } from '../ir/graph.js';

/** What a kernel is recorded from: its inputs by tfjs' names (`list` where tfjs passes a list) and its attributes. */
export interface KernelCall {
  readonly builder: GraphBuilder;
  input(name: string): Value;
  optional(name: string): Value | undefined;
  readonly list: readonly Value[];
  number(name: string): number;
  numbers(name: string): readonly number[];
  flag(name: string): boolean;
  /** The attribute as it is, for the few that are unions. */
  attribute(name: string): unknown;
  type(name: string): IrType;
  /** Throws UNSUPPORTED for a variant of the kernel that is not covered. */
  refuse(what: string): never;
}

/** Records one tfjs kernel in the graph. */
export type Kernel = (call: KernelCall) => Value | readonly Value[];
export type Kernels = Readonly<Record<string, Kernel>>;

/** tfjs' axis parameter (a number, a list or nothing for all) as sorted non-negative axes. */
export function axesOf(axis: unknown, rank: number): number[] {
  const listed = axis === undefined || axis === null ? Array.from({ length: rank }, (_, i) => i) : [axis].flat();
  return listed.map((a) => (Number(a) < 0 ? Number(a) + rank : Number(a))).sort((p, q) => p - q);
}
