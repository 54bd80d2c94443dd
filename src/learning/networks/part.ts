/** One array inside a flat parameter vector. */
export interface Part {
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  /** Inputs of the unit this part belongs to: sets the range of its initial values. */
  readonly fanIn: number;
}
