// Writes records to a spool as fast as it can and says each on its output when it is written: node spool-child.mjs FOLDER
import { writeSync } from 'node:fs';
import { Spool } from '../../dist/src/link/index.js';

const [folder, maxBytes = String(64 * 1024 * 1024), count = '1000000000'] = process.argv.slice(2);
const spool = new Spool({
  folder,
  maxBytes: Number(maxBytes),
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  warn: (message) => writeSync(1, `warning ${message}\n`),
});
const payload = new Uint8Array(300);
for (let i = 0; i < Number(count); i++) {
  spool.append(i % 10 === 0 ? 'demonstration' : 'state', '/transitions', payload);
  writeSync(1, `${spool.last}\n`);
}
writeSync(1, `figures ${JSON.stringify(spool.figures)}\n`);
spool.close();
