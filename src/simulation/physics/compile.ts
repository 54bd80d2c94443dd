import type { MjData, MjModel } from '@mujoco/mujoco';
import { IqLearnError, messageOf } from '../../common/index.js';
import { abandonMujoco, loadMujoco, type Mujoco } from './mujoco.js';
import { webAssembly } from './webassembly.js';

/** A compiled model with its state. Its user deletes `data` and `model`, which live in WebAssembly memory. */
export interface CompiledModel {
  readonly mj: Mujoco;
  readonly model: MjModel;
  readonly data: MjData;
}

/**
 * Compiles MJCF, computes the kinematics of its initial state, and gives what `use` makes of it. Throws INVALID_ARGUMENT
 * for MJCF that MuJoCo refuses (everything allocated is freed then), UNAVAILABLE when MuJoCo does not load.
 */
export async function compileModel<T>(xml: string, use: (compiled: CompiledModel) => T): Promise<T> {
  const mj = await loadMujoco();
  let model: MjModel | undefined;
  let data: MjData | undefined;
  try {
    model = mj.MjModel.from_xml_string(xml);
    data = new mj.MjData(model);
    mj.mj_forward(model, data);
    return use({ mj, model, data });
  } catch (cause) {
    if (isTrap(cause)) {
      abandonMujoco(mj);
    } else {
      data?.delete();
      model?.delete();
    }
    throw new IqLearnError('INVALID_ARGUMENT', 'MuJoCo refuses the model', {
      found: messageOf(cause)
        .replace(/^MuJoCo Error: (Loading error: )?/, '')
        .trim()
        .replace(/\s*\n\s*/g, ', '),
      expected: 'valid MJCF with less than 100 nested bodies',
      remedy: 'correct the element that is named',
      cause,
    });
  }
}

/** Whether WebAssembly itself stopped (stack overflow, out of memory), after which the whole heap is not to be trusted. */
export function isTrap(thrown: unknown): boolean {
  return thrown instanceof webAssembly.RuntimeError;
}

/** The INTERNAL error for a failed call of MuJoCo. After a trap this thread's MuJoCo is given up. */
export function mujocoFailed(mj: Mujoco, cause: unknown): IqLearnError {
  const trapped = isTrap(cause);
  if (trapped) abandonMujoco(mj);
  return new IqLearnError('INTERNAL', 'MuJoCo failed', {
    found: messageOf(cause),
    remedy: trapped ? 'load the scene again: this MuJoCo instance is not to be trusted any more' : 'reset the scene',
    cause,
  });
}
