/** Compiled code. Threads of one process share it by sending it in a message. */
export interface WebAssemblyModule {
  readonly [Symbol.toStringTag]: string;
}

/** The part of the global `WebAssembly` that is used here. TypeScript declares `WebAssembly` only for browsers. */
interface WebAssemblyApi {
  compile(bytes: Uint8Array): Promise<WebAssemblyModule>;
  instantiate(module: WebAssemblyModule, imports: object): Promise<object>;
  readonly RuntimeError: new () => Error;
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
