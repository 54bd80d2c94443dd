// node --import: the learning process ends itself by SIGKILL in the middle of a file of the second generation it writes.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { openSync, writeSync } = fs;
const generations = new Set();
const marked = new Set();

if (process.argv[1]?.endsWith('training/process/main.js')) {
  fs.openSync = (path, ...rest) => {
    const handle = openSync(path, ...rest);
    marked.delete(handle);
    const generation = /generation-\d+\.\d+\.part(?=\/)/.exec(String(path))?.[0];
    if (generation === undefined) return handle;
    if (generations.has(generation) && generations.size === 2) marked.add(handle); // not its first file
    generations.add(generation);
    return handle;
  };
  fs.writeSync = (handle, bytes, ...rest) => {
    if (!marked.has(handle)) return writeSync(handle, bytes, ...rest);
    writeSync(handle, bytes.subarray(0, bytes.byteLength >> 1));
    process.kill(process.pid, 'SIGKILL');
    return 0;
  };
  syncBuiltinESMExports();
}
