#!/usr/bin/env node
import { errorText, exitCode, systemError } from './exit.js';
import { Interrupt } from './interrupt.js';

let outputError: Error | undefined;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that closes its end of the pipe (`| head`) is not an error of this program, and must not end a run.
    if (error.code === 'EPIPE') return;
    outputError ??= error;
  });

// Signals are heard before the rest is loaded, which takes a second: the first process of a container is otherwise deaf
// to them until then, and would go on as if nobody had told it to end.
const interrupt = new Interrupt((text) => process.stderr.write(`${text}\n`));
const { run } = await import('./program.js');
// A signal that came while modules were evaluated waits for the event loop to look at it, which it does once between two turns.
for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
interrupt.begin();
process.exitCode = await run(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr, interrupt });
interrupt.close();
// The streams tell what they could not write after the command has ended.
process.once('beforeExit', () => {
  if (outputError === undefined) return;
  process.stderr.write(`${errorText(systemError(outputError), false)}\n`);
  process.exitCode = exitCode.failure;
});
