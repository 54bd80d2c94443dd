export type { Io } from './command.js';

export { exitCode } from './exit.js';

export { run } from './program.js';
