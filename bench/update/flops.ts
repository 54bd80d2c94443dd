/**
 * Floating-point operations of the matrix products of one actor-critic update on `rows` rows, counted as an
 * implementation needs them that computes nothing twice: 2·m·k·n a product. Element-wise work is left out.
 */
export function updateFlops(sizes: {
  readonly observation: number;
  readonly action: number;
  readonly hidden: readonly number[];
  readonly critics: number;
  readonly rows: number;
  /** Rows whose V(s) the critic's loss needs. */
  readonly valuedRows: number;
  /** Entries of a state that only critics see. */
  readonly criticEntries: number;
}): number {
  const { observation, action, hidden, critics, rows, valuedRows, criticEntries } = sizes;
  /** A row's forward pass, or its gradient by the weights. */
  const forward = (widths: readonly number[]): number =>
    widths.slice(1).reduce((sum, width, i) => sum + 2 * widths[i]! * width, 0);
  /** A row's gradient by the activations; down to the first `inputs` inputs. */
  const backward = (widths: readonly number[], inputs: number): number =>
    forward(widths) - 2 * (widths[0]! - inputs) * widths[1]!;
  const actor = [observation, ...hidden, 2 * action];
  const critic = [observation + criticEntries + action, ...hidden, 1];
  const sampling = 2 * forward(actor); // s and s′
  const targets = critics * forward(critic);
  const criticStep = critics * (2 * forward(critic) + backward(critic, 0)); // a row at a or at ã
  // The minimum lets each row's gradient through one critic.
  const actorStep = critics * forward(critic) + backward(critic, action) + forward(actor) + backward(actor, 0);
  return rows * (sampling + targets + actorStep) + (rows + valuedRows) * criticStep;
}
