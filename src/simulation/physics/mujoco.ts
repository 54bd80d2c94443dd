import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import loadMujocoModule, { type MainModule } from '@mujoco/mujoco';
import { IqLearnError, messageOf } from '../../common/index.js';
import { type WebAssemblyModule, webAssembly } from './webassembly.js';

/** An instance of MuJoCo's single-threaded WebAssembly build. It has a heap of its own of at most 2 GB. */
export type Mujoco = MainModule;

let compiled: Promise<WebAssemblyModule> | undefined;
let instance: Promise<Mujoco> | undefined;
/** What {@link instance} resolved to. */
let current: Mujoco | undefined;

/**
 * MuJoCo's compiled code, compiled once per process. A worker thread that is sent it need not compile it again.
 * Throws UNAVAILABLE when the file of the package cannot be read.
 */
export function mujocoModule(): Promise<WebAssemblyModule> {
  compiled ??= (async () => {
    try {
      const path = createRequire(import.meta.url).resolve('@mujoco/mujoco/mujoco.wasm');
      return await webAssembly.compile(new Uint8Array(await readFile(path)));
    } catch (cause) {
      compiled = undefined;
      throw unavailable(cause);
    }
  })();
  return compiled;
}

/** Makes this thread use code that another thread has compiled. Call it before {@link loadMujoco}. */
export function useMujocoModule(module: WebAssemblyModule): void {
  compiled = Promise.resolve(module);
}

/** The MuJoCo of this thread, shared by all its scenes. The first call takes about 0.2 s. Throws UNAVAILABLE. */
export function loadMujoco(): Promise<Mujoco> {
  instance ??= instantiate().then(
    (mujoco) => {
      current = mujoco;
      return mujoco;
    },
    (cause: unknown) => {
      instance = undefined;
      throw cause instanceof IqLearnError ? cause : unavailable(cause);
    },
  );
  return instance;
}

/**
 * Makes the next {@link loadMujoco} of this thread create a new MuJoCo. Needed after a WebAssembly trap (stack overflow,
 * out of memory), because the heap may be damaged then.
 */
export function abandonMujoco(mujoco: Mujoco): void {
  if (current === mujoco) [current, instance] = [undefined, undefined];
}

async function instantiate(): Promise<Mujoco> {
  const module = await mujocoModule();
  return await new Promise<Mujoco>((resolve, reject) => {
    loadMujocoModule({
      instantiateWasm(imports: object, done: (made: object) => void) {
        webAssembly.instantiate(module, imports).then(done, reject);
        return {};
      },
      // MuJoCo's log lines are not printed: `Physics` checks for what they warn of and throws errors.
      print: () => undefined,
      printErr: () => undefined,
    }).then(resolve, reject);
  });
}

function unavailable(cause: unknown): IqLearnError {
  return new IqLearnError('UNAVAILABLE', 'MuJoCo does not load', {
    found: messageOf(cause),
    expected: 'the package @mujoco/mujoco as installed by npm ci, and a Node with WebAssembly',
    remedy: 'run npm ci again',
    cause,
  });
}
