import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '../../../common/index.js';
import type { Unavailable } from '../executor.js';
import { loadKoffi } from './ffi.js';

/** What is to be known about a machine before the GPU is tried. Tests hold it still. */
export interface CudaHost {
  /** `linux-x64` and the like. */
  readonly platform: string;
  readonly driver: boolean;
  /** The version of onnxruntime-node, whose library the provider must match. */
  readonly onnxruntime: string;
  /** The folder that scripts/setup-cuda.sh made. */
  readonly folder: string;
  /** The version of onnxruntime that the folder was made for; undefined where there is no such folder. */
  readonly made: string | undefined;
  /** Why koffi does not load, or undefined where it does. */
  readonly koffi: string | undefined;
}

const SETUP = "run 'bash scripts/setup-cuda.sh'";

/** IQ_LEARN_CUDA, or the place where scripts/setup-cuda.sh puts it by itself. */
export function cudaFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { IQ_LEARN_CUDA, XDG_CACHE_HOME } = environment;
  if (IQ_LEARN_CUDA) return resolve(IQ_LEARN_CUDA);
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'iq_learn', 'cuda');
}

const require = createRequire(import.meta.url);

/** onnxruntime-node's version, and its library, which the binding on the CPU uses. */
export function onnxruntimeNode(): { readonly version: string; readonly library: string } {
  const file = require.resolve('onnxruntime-node/package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  const folder = join(dirname(file), 'bin', 'napi-v6', process.platform, process.arch);
  return { version, library: join(folder, 'libonnxruntime.so.1') };
}

export async function thisHost(): Promise<CudaHost> {
  const folder = cudaFolder();
  const versions = join(folder, 'versions.json');
  const koffi = await loadKoffi().then(
    () => undefined,
    (error) => messageOf(error),
  );
  return {
    platform: `${process.platform}-${process.arch}`,
    driver: existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidiactl') || existsSync('/dev/dxg'),
    onnxruntime: onnxruntimeNode().version,
    folder,
    made: existsSync(versions)
      ? (JSON.parse(readFileSync(versions, 'utf8')) as { onnxruntime: string }).onnxruntime
      : undefined,
    koffi,
  };
}

/** Why a machine cannot run programs on a GPU, without touching the GPU; undefined where nothing is missing. */
export function missingOn(host: CudaHost): Unavailable | undefined {
  const no = (found: string, expected: string, remedy: string): Unavailable => ({
    available: false,
    found,
    expected,
    remedy,
  });
  if (host.platform !== 'linux-x64')
    return no(`the platform ${host.platform}`, 'linux-x64', 'use such a machine, which has the CUDA provider');
  if (!host.driver)
    return no('no NVIDIA driver', 'one for CUDA 13', 'install the driver of an NVIDIA GPU, version 580 or newer');
  if (host.koffi !== undefined) return no(host.koffi, 'koffi 3', "install it with 'npm i koffi'");
  if (host.made === undefined)
    return no(`no CUDA libraries in ${host.folder}`, 'a folder of them', `${SETUP}, or set IQ_LEARN_CUDA`);
  if (host.made !== host.onnxruntime)
    return no(
      `CUDA libraries for onnxruntime ${host.made} in ${host.folder}, but onnxruntime-node ${host.onnxruntime}`,
      'the same version on both sides',
      `remove the folder and ${SETUP}`,
    );
  return undefined;
}
