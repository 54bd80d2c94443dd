import type { DoubleBuffer, MjData, MjModel } from '@mujoco/mujoco';
import { IqLearnError } from '../../common/index.js';
import type { Mujoco } from './mujoco.js';

/**
 * Reads and writes the full state that MuJoCo integrates: time, positions, velocities, activations, the solver's warm
 * start, controls, applied forces, and mocap poses. A simulation continued from it repeats bit for bit.
 */
export class IntegrationState {
  readonly #mj: Mujoco;
  readonly #model: MjModel;
  readonly #data: MjData;
  readonly #kind: number;
  readonly #buffer: DoubleBuffer;
  /** Numbers in a state. */
  readonly size: number;

  constructor(mj: Mujoco, model: MjModel, data: MjData) {
    this.#mj = mj;
    this.#model = model;
    this.#data = data;
    this.#kind = mj.mjtState.mjSTATE_INTEGRATION.value;
    this.size = mj.mj_stateSize(model, this.#kind);
    this.#buffer = new mj.DoubleBuffer(this.size);
  }

  /** A copy of the state, `size` numbers. */
  read(): Float64Array {
    this.#mj.mj_getState(this.#model, this.#data, this.#buffer, this.#kind);
    return (this.#buffer.GetView() as Float64Array).slice();
  }

  /** Throws INVALID_ARGUMENT for numbers that `read` cannot have given. */
  check(state: Float64Array): void {
    if (state.length !== this.size || !state.every(Number.isFinite))
      throw new IqLearnError('INVALID_ARGUMENT', 'not a state of this model', {
        found: `${state.length} numbers${state.every(Number.isFinite) ? '' : ', not all finite'}`,
        expected: `${this.size} finite numbers, as getState gives`,
      });
  }

  /** Sets a checked state and recomputes what follows from it. */
  write(state: Float64Array): void {
    this.#set(state);
    this.#mj.mj_forward(this.#model, this.#data);
    // mj_forward has overwritten the warm start, which is part of the state.
    this.#set(state);
  }

  /** Frees the buffer. */
  delete(): void {
    this.#buffer.delete();
  }

  #set(state: Float64Array): void {
    this.#mj.mj_setState(this.#model, this.#data, state as unknown as number[], this.#kind);
  }
}
