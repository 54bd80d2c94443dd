import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';

const require = createRequire(import.meta.url);

function versionOf(name: string): string | undefined {
  try {
    // Not every package exports its package.json; its folder is found by any module it exports.
    const entry = require.resolve(name);
    const folder = entry.slice(0, entry.lastIndexOf(`node_modules/${name}`) + `node_modules/${name}`.length);
    return (JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { version: string }).version;
  } catch {
    return undefined;
  }
}

/** 2026-01-02T03:04:05Z → 20260102-030405: a moment (UTC) as a part of the name of a folder. */
export function timestamp(now = new Date()): string {
  return now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
}

/** This package's version. */
export function ownVersion(): string {
  const path = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

/** Versions of what results and speed depend on: this package, Node, and the engines of computation and simulation. */
export function versions(): Record<string, string> {
  const packages = ['onnxruntime-node', '@tensorflow/tfjs', '@mujoco/mujoco'];
  return {
    iq_learn: ownVersion(),
    node: process.versions.node,
    ...Object.fromEntries(packages.flatMap((name) => [[name, versionOf(name)]].filter(([, version]) => version))),
  };
}

/** CPU model with its widest vector unit, cores, memory, platform. */
export function machine(): string {
  const cores = cpus();
  let vectors = '';
  try {
    const flags = readFileSync('/proc/cpuinfo', 'utf8');
    vectors = flags.includes('avx512f') ? ', AVX-512' : flags.includes('avx2') ? ', AVX2' : '';
  } catch {
    // not Linux: the model says it
  }
  const memory = Math.round(totalmem() / 2 ** 30);
  const model = cores[0]?.model.trim() ?? 'unknown CPU';
  return `${model}${vectors}, ${cores.length} cores, ${memory} GiB memory, ${process.platform} ${process.arch}`;
}
