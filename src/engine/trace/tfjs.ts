import * as tf from '@tensorflow/tfjs';

/**
 * The one way to tfjs. `@tensorflow/tfjs` and never `@tensorflow/tfjs-core`: the latter resolves, in Node's ESM, to
 * an instance without gradients.
 */
export { tf };

/** tfjs' global choice of backend; its fields are private in the types. */
interface EngineChoice {
  backendName: string | null;
  backendInstance: tf.KernelBackend | null;
}

/**
 * Runs `f` with `backend` as tfjs' global backend and puts the former choice back whatever happens. Synchronous
 * throughout, so that nothing else in the process sees the exchange. The backend must be initialised.
 */
export function withBackend<T>(backend: string, f: () => T): T {
  const engine = tf.engine() as unknown as EngineChoice;
  const { backendName, backendInstance } = engine;
  try {
    // Up to its first await, which is only reached by backends that start asynchronously, setBackend is synchronous.
    void tf.setBackend(backend);
    return f();
  } finally {
    if (backendName != null && backendInstance != null) void tf.setBackend(backendName);
    else [engine.backendName, engine.backendInstance] = [backendName, backendInstance];
  }
}
