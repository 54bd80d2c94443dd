import { type ArrayRecord, compile, type TensorRecord } from '#src/engine/index.js';

/** Evaluates a pure function of float32 tensors once: arrays with shapes in, flat arrays out. */
export async function evaluate(
  inputs: Record<string, { shape: readonly number[]; data: ArrayLike<number> }>,
  fn: (inputs: TensorRecord) => TensorRecord,
): Promise<ArrayRecord> {
  const executable = await compile(
    {
      name: 'evaluate',
      state: {},
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([name, { shape }]) => [name, { shape, dtype: 'float32' as const }]),
      ),
      step: (_, tensors) => ({ state: {}, outputs: fn(tensors) }),
    },
    { device: 'cpu', initialState: {}, threads: 1 },
  );
  try {
    return await executable.run(
      Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, Float32Array.from(data)])),
    );
  } finally {
    await executable.dispose();
  }
}
