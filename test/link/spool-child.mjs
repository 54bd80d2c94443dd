// Writes records to a spool as fast as it can and says each on its output when it is written: node spool-child.mjs FOLDER
import { writeSync } from 'node:fs';
import { Spool } from '../../dist/src/link/index.js';

const [folder, maxBytes = String(64 * 1024 * 1024), count = '1000000000'] = process.argv.slice(2);
const spool = new Spool({
  folder,
  maxBytes: Number(maxBytes),
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  warn: (message) => say(`warning ${message}`),
});

/** Says a line. The pipe may be full while whoever reads it is busy: then it is said again. */
function say(line) {
  for (;;)
    try {
      return writeSync(1, `${line}\n`);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
}

const payload = new Uint8Array(300);
for (let i = 0; i < Number(count); i++) {
  spool.append(i % 10 === 0 ? 'demonstration' : 'state', '/transitions', payload);
  say(`${spool.last}`);
}
say(`figures ${JSON.stringify(spool.figures)}`);
spool.close();
