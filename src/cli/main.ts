#!/usr/bin/env node
import { Interrupt } from './interrupt.js';
import { run } from './program.js';

// A reader that closes its end of the pipe (`| head`) is not an error of this program.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const interrupt = new Interrupt((text) => process.stderr.write(`${text}\n`));
process.exitCode = await run(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr, interrupt });
interrupt.close();
