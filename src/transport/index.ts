export * from './embedded/index.js';
export * from './transport.js';
