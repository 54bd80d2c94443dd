import { IqLearnError, messageOf } from '../../../common/index.js';

/** A C function that can be called. */
type Native = (...values: unknown[]) => unknown;
/** A C type that koffi knows. */
export type CType = object | string;

/** What is used of koffi, which calls functions of shared libraries. An optional dependency, loaded on first use. */
export interface Koffi {
  load(path: string): { func(prototype: string): Native };
  /** Makes a function type known. A name can be used once in a process. */
  proto(prototype: string): CType;
  /** What lies at a pointer, or the function that a pointer leads to. */
  decode(pointer: unknown, type: CType): unknown;
  decode(pointer: unknown, offset: number, type: CType): unknown;
  address(pointer: unknown): bigint;
}

/** Not a literal in the import, so that the compiler does not look the optional dependency up. */
const PACKAGE: string = 'koffi';

/** An address in memory of this process or of the GPU. */
export type Address = bigint;

/** A handle that a library gave out. */
export type Handle = unknown;

let loading: Promise<Koffi> | undefined;

/** UNAVAILABLE where koffi is not installed or does not run on this platform. */
export async function loadKoffi(): Promise<Koffi> {
  try {
    loading ??= import(PACKAGE).then((module: { default: Koffi }) => module.default);
    return await loading;
  } catch (cause) {
    loading = undefined;
    throw new IqLearnError('UNAVAILABLE', 'the package koffi does not load', {
      found: messageOf(cause).split('\n')[0]!,
      expected: 'koffi 3, an optional dependency of iq_learn',
      remedy: "install it with 'npm i koffi'",
      cause,
    });
  }
}

/** A shared library by path or name. UNAVAILABLE where the loader does not find it or something that it needs. */
export function loadLibrary(koffi: Koffi, path: string): ReturnType<Koffi['load']> {
  try {
    return koffi.load(path);
  } catch (cause) {
    throw new IqLearnError('UNAVAILABLE', `the library ${path} does not load`, {
      found: messageOf(cause),
      expected: 'a library for this platform, with everything that it links with',
      remedy: "make the folder of libraries again with 'bash scripts/setup-cuda.sh'",
      cause,
    });
  }
}

/** Calls a C function whose last parameter is where it puts the handle that it makes. */
export function made(create: (...values: unknown[]) => void, ...values: unknown[]): Handle {
  const out: Handle[] = [null];
  create(...values, out);
  return out[0];
}
