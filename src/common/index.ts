export * from './clock.js';
export * from './errors.js';
export * from './files.js';
export * from './logging.js';
export * from './machine.js';
export * from './random.js';
export * from './suggest.js';
