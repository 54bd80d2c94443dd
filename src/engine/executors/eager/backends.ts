import { createRequire } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { IqLearnError, messageOf } from '../../../common/index.js';
import { tf } from '../../trace/tfjs.js';
import type { Availability } from '../executor.js';

export type EagerBackend = 'tensorflow' | 'wasm';

const tensorflowPackages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** Loads and starts a backend without leaving it as tfjs' global choice (tfjs-node makes itself that on import). */
async function start(name: string, load: () => Promise<void>): Promise<void> {
  const engine = tf.engine() as unknown as { backendName: string | null; backendInstance: tf.KernelBackend | null };
  const { backendName, backendInstance } = engine;
  try {
    await load();
    if (!(await tf.setBackend(name))) throw new IqLearnError('UNAVAILABLE', `the tfjs backend ${name} does not start`);
  } finally {
    [engine.backendName, engine.backendInstance] = [backendName, backendInstance];
  }
}

/** Where tfjs-node is looked for: the folder that IQ_LEARN_TENSORFLOW names (scripts/setup-tensorflow.sh), then here. */
function locate(name: string): string {
  const folder = process.env.IQ_LEARN_TENSORFLOW;
  if (folder === undefined || folder === '') return name;
  return pathToFileURL(createRequire(join(resolve(folder), 'package.json')).resolve(name)).href;
}

/** Loads the first of the packages that loads; where none does, says why for each. */
async function startTensorflow(): Promise<Availability> {
  const reasons: string[] = [];
  for (const name of tensorflowPackages) {
    try {
      // An optional dependency, so its name is no literal that the compiler would look up.
      await start('tensorflow', () => import(locate(name)));
      return { available: true, detail: name };
    } catch (error) {
      // Without the path of this file, which Node adds to its message.
      reasons.push(
        `${name}: ${messageOf(error)
          .split('\n')[0]!
          .replace(/ imported from .*/, '')}`,
      );
    }
  }
  return {
    available: false,
    found: reasons.join('; '),
    expected: tensorflowPackages.join(' or '),
    remedy: "install one of these packages ('npm i @tensorflow/tfjs-node')",
  };
}

/**
 * wasm multiplies transposed matrices without its fast kernels, which is what every gradient of a product needs:
 * turning the operand first is several times faster.
 */
function preferExplicitTransposes(): void {
  const stock = tf.getKernel('BatchMatMul', 'wasm');
  const turn = tf.getKernel('Transpose', 'wasm');
  if (stock === undefined || turn === undefined) return;
  tf.unregisterKernel('BatchMatMul', 'wasm');
  tf.registerKernel({
    ...stock,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const made: tf.TensorInfo[] = [];
      const turned = (name: 'a' | 'b', transpose: boolean): tf.TensorInfo => {
        const x = inputs[name]!;
        if (!transpose) return x;
        const rank = x.shape.length;
        const perm = x.shape.map((_, i) => (i < rank - 2 ? i : i === rank - 2 ? rank - 1 : rank - 2));
        const result = turn.kernelFunc({ inputs: { x }, attrs: { perm }, backend }) as tf.TensorInfo;
        made.push(result);
        return result;
      };
      const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
      const operands = { a: turned('a', transposeA), b: turned('b', transposeB) };
      const product = stock.kernelFunc({ inputs: operands, backend, attrs: { transposeA: false, transposeB: false } });
      for (const { dataId } of made) (backend as tf.KernelBackend).disposeData(dataId);
      return product;
    },
  });
}

async function startWasm(): Promise<void> {
  await start('wasm', async () => {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
    wasm.setWasmPaths(folder + sep);
  });
  preferExplicitTransposes();
}

let wasmStarted: Promise<Availability> | undefined;
let tensorflowStarted: Promise<Availability> | undefined;

/** Starts a tfjs backend on first use, and says whether it is ready. */
export function backendStatus(backend: EagerBackend): Promise<Availability> {
  if (backend === 'tensorflow') {
    tensorflowStarted ??= startTensorflow();
    return tensorflowStarted;
  }
  wasmStarted ??= startWasm().then(
    (): Availability => ({ available: true, detail: `tfjs ${tf.version_core} on WebAssembly` }),
    (error): Availability => ({
      available: false,
      found: messageOf(error),
      expected: '@tensorflow/tfjs-backend-wasm',
      remedy: "install again with 'npm ci'",
    }),
  );
  return wasmStarted;
}
