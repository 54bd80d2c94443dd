import { messageOf } from '../../../common/index.js';
import { lowerInStages, lowerProgram } from '../../lowering.js';
import type { Program } from '../../program.js';
import type { Executor, ExecutorOptions } from '../executor.js';
import type { CpuExecutable } from './cpu-executable.js';
import { nativeOnnxruntime } from './native.js';
import { OnnxExecutable } from './onnx-executable.js';
import { PacedSession } from './paced-session.js';
import { loadOnnxruntime } from './session.js';
import { fitsMemory, placesOf, StagedExecutable } from './staged-executable.js';
import { defaultThreads } from './threads.js';

/** Sessions by their waiting: one where it is given or there is one thread, which never waits for another. */
const kindsOf = (threads: number, spinning: boolean | undefined): readonly boolean[] =>
  spinning !== undefined ? [spinning] : threads === 1 ? [false] : [true, false];

async function compileInStages(
  program: Program,
  { whole, staged }: ReturnType<typeof lowerInStages>,
  { threads = 'auto', spinning, initialState }: ExecutorOptions,
): Promise<CpuExecutable | undefined> {
  if (staged === undefined || !fitsMemory(placesOf(program, whole.outputs, staged.crossing))) return undefined;
  const native = await nativeOnnxruntime();
  if (native === undefined) return undefined;
  const count = threads === 'auto' ? defaultThreads() : threads;
  const { model, outputs } = whole;
  const options = { threads: count, spinning: kindsOf(count, spinning), initialState };
  return new StagedExecutable(native, program, { ...staged, model, outputs }, options);
}

export async function compileOnCpu(program: Program, options: ExecutorOptions): Promise<CpuExecutable> {
  const ort = await loadOnnxruntime();
  // One session makes a profile of everything.
  const inStages = options.steps === 1 && options.profilePrefix === undefined ? lowerInStages(program) : undefined;
  const executable = inStages && (await compileInStages(program, inStages, options));
  if (executable !== undefined) return executable;
  const lowered = inStages?.whole ?? lowerProgram(program, { steps: options.steps, shapes: 'dynamic' });
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
