import { messageOf } from '../../../common/index.js';
import { lowerProgram } from '../../lowering.js';
import type { Program } from '../../program.js';
import type { Executor, ExecutorOptions } from '../executor.js';
import { OnnxExecutable } from './onnx-executable.js';
import { PacedSession } from './paced-session.js';
import { loadOnnxruntime } from './session.js';
import { defaultThreads } from './threads.js';

export async function compileOnCpu(program: Program, options: ExecutorOptions): Promise<OnnxExecutable> {
  const ort = await loadOnnxruntime();
  const lowered = lowerProgram(program, { steps: options.steps, shapes: 'dynamic' });
  const session = await PacedSession.create(ort, lowered.model, options);
  return new OnnxExecutable(ort, session, { ...lowered, state: program.state, initialState: options.initialState });
}

/** Runs the traced program as one graph on onnxruntime's CPU provider. */
export const onnxCpu: Executor = {
  name: 'onnx-cpu',
  devices: ['cpu'],
  priority: 10,
  async available() {
    try {
      const { env } = await loadOnnxruntime();
      const version = env.versions.node ?? env.versions.common;
      return { available: true, detail: `onnxruntime ${version}, up to ${defaultThreads()} threads` };
    } catch (error) {
      return {
        available: false,
        found: messageOf(error),
        expected: 'the package onnxruntime-node with its library for this platform',
        remedy: "install again with 'npm ci'",
      };
    }
  },
  compile: (program, _, options) => compileOnCpu(program, options),
};
