import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { IqLearnError, messageOf } from '../../../common/index.js';

export type Ort = typeof import('onnxruntime-node');
export type OrtTensor = Tensor;
export type OrtSession = InferenceSession;

/** How a model uses the machine. Spinning changes time only; the number of threads can change the last bits. */
export interface SessionThreads {
  readonly threads: number;
  /** Whether idle threads wait actively: faster on a quiet machine, much slower on a busy one. */
  readonly spinning: boolean;
}

export interface SessionOptions extends SessionThreads {
  /** Where onnxruntime writes its profile when the session is released (a prefix); for measuring. */
  readonly profilePrefix?: string;
}

let loading: Promise<Ort> | undefined;

/** onnxruntime-node, loaded on first use (or by `load`, in tests). UNAVAILABLE where its library does not load. */
export async function loadOnnxruntime(load?: () => Promise<Ort>): Promise<Ort> {
  try {
    if (load !== undefined) return await load();
    loading ??= import('onnxruntime-node');
    return await loading;
  } catch (cause) {
    loading = undefined;
    throw new IqLearnError('UNAVAILABLE', 'onnxruntime does not load', {
      found: messageOf(cause),
      expected: 'the package onnxruntime-node with its library for this platform',
      remedy: `install again with 'npm ci' (${process.platform}-${process.arch}, Node ${process.versions.node}), or use the eager executor`,
      cause,
    });
  }
}

/** A session on the bytes of a model. CORRUPT_DATA when onnxruntime refuses them. */
export async function createSession(ort: Ort, model: Uint8Array, options: SessionOptions): Promise<OrtSession> {
  try {
    return await ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: options.spinning ? '1' : '0' } } },
      ...(options.profilePrefix === undefined
        ? {}
        : { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
    });
  } catch (cause) {
    throw new IqLearnError('CORRUPT_DATA', 'onnxruntime refuses the model', {
      found: messageOf(cause),
      expected: 'an ONNX model written by iq_learn',
      remedy: 'export it again',
      cause,
    });
  }
}
