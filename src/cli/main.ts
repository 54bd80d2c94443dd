#!/usr/bin/env node
import { errorText, exitCode, systemError } from './exit.js';
import { Interrupt } from './interrupt.js';
import { run } from './program.js';

let outputError: Error | undefined;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that closes its end of the pipe (`| head`) is not an error of this program, and must not end a run.
    if (error.code === 'EPIPE') return;
    outputError ??= error;
  });

const interrupt = new Interrupt((text) => process.stderr.write(`${text}\n`));
process.exitCode = await run(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr, interrupt });
interrupt.close();
// The streams tell what they could not write after the command has ended.
process.once('beforeExit', () => {
  if (outputError === undefined) return;
  process.stderr.write(`${errorText(systemError(outputError), false)}\n`);
  process.exitCode = exitCode.failure;
});
