// Writes docs/faults.md: the faults that the system must survive (test/faults/faults.json) and the tests that hold each,
// which say so in their names: 'fault F12: …'. With --print it writes to the standard output instead.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const faults = JSON.parse(readFileSync(join(root, 'test/faults/faults.json'), 'utf8'));

/** The names of tests that hold a fault, by fault: the file, and what the name says behind its number. */
function testsByFault() {
  const found = new Map(Object.keys(faults).map((number) => [number, []]));
  const files = readdirSync(join(root, 'test'), { recursive: true }).map(String);
  for (const file of files.filter((name) => name.endsWith('.test.ts')).sort()) {
    const text = readFileSync(join(root, 'test', file), 'utf8');
    for (const [, , numbers, words] of text.matchAll(/(['"`])fault (F\d\d(?:, F\d\d)*): ((?:(?!\1).)*)\1/g))
      for (const number of numbers.split(', ')) {
        if (!found.has(number)) throw new Error(`${file}: there is no fault ${number}`);
        found.get(number).push(`[${file}](../test/${file}): ${words.replaceAll('|', '\\|')}`);
      }
  }
  return found;
}

function table() {
  const rows = [...testsByFault()].map(([number, tests]) => {
    const { fault, required } = faults[number];
    return `| ${number} | ${fault} | ${required} | ${tests.join('<br>')} |`;
  });
  return `${[
    '# Faults, and the tests that hold them',
    '',
    'Every fault that the system must survive has tests that fail without its guard; a test says in its name which one it',
    'holds. This table is made from the tests: `node scripts/faults-table.mjs` writes it, and a test keeps it so. What was',
    'tried by chance, thousands of times, is in [benchmarks.md](benchmarks.md).',
    '',
    '| | fault | what must happen | held by |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')}\n`;
}

if (process.argv.includes('--print')) process.stdout.write(table());
else writeFileSync(join(root, 'docs/faults.md'), table());
