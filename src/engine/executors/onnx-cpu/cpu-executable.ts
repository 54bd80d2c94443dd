import type { Executable } from '../../program.js';
import type { SessionThreads } from './session.js';

/** A program compiled for the CPU. */
export interface CpuExecutable extends Executable {
  /** The whole program as one ONNX file, for viewers and `inspectModel`. */
  readonly model: Uint8Array;
  /** How the next run uses the machine. */
  readonly threads: SessionThreads;
}
