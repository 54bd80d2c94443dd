/** The bytes of WebAssembly that kernels are made of (binary format 1, with 128-bit vectors). */
export type Code = readonly number[];

/** An unsigned number in LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return bytes;
}

/** A signed 32-bit number in LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    const done = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0);
    bytes.push(done ? low : low | 128);
    if (done) return bytes;
  }
}

const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const vector = (opcode: number): Code => [0xfd, ...unsigned(opcode)];

const I32 = 0x7f;
const V128 = 0x7b;

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number): Code => [0x21, ...unsigned(local)];
export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const addI32: Code = [0x6a];
export const lessI32: Code = [0x49];
/** Repeats `body` while the number that it leaves is not 0. */
export const loop = (body: Code): Code => [0x03, 0x40, ...body, 0x0d, 0x00, 0x0b];
/** Four elements at the address on the stack. */
export const loadVector: Code = [...vector(0x00), 4, 0];
export const storeVector: Code = [...vector(0x0b), 4, 0];
/** The number at the address on the stack, four times. */
export const loadSplat: Code = [...vector(0x09), 2, 0];
export const constant = (value: number): Code => [
  0x43,
  ...new Uint8Array(Float32Array.of(value).buffer),
  ...vector(0x13),
];
/** Arithmetic of four float32 at once, each exactly rounded, by the names of ONNX. */
export const arithmetic: Readonly<Record<string, Code>> = {
  Neg: vector(0xe1),
  Sqrt: vector(0xe3),
  Add: vector(0xe4),
  Sub: vector(0xe5),
  Mul: vector(0xe6),
  Div: vector(0xe7),
};

/**
 * A module with one function `run` of `parameters` addresses, on a memory that it imports as `engine.memory`. Its local
 * values after the parameters: a counter, and `vectors` vectors.
 */
export function moduleOf(parameters: number, vectors: number, body: Code): Uint8Array<ArrayBuffer> {
  const text = (value: string): Code => list([...new TextEncoder().encode(value)].map((byte) => [byte]));
  const locals = list([
    [1, I32],
    [...unsigned(vectors), V128],
  ]);
  const code = [...locals, ...body, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([[0x60, ...list(Array.from({ length: parameters }, () => [I32])), 0]])),
    ...section(2, list([[...text('engine'), ...text('memory'), 2, 0, 1]])),
    ...section(3, list([[0]])),
    ...section(7, list([[...text('run'), 0, 0]])),
    ...section(10, list([[...unsigned(code.length), ...code]])),
  ]);
}
