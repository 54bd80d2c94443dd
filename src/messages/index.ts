export { decode, emptyMessage, encode, maxMessageBytes } from './codec.js';
export { checkSchema, schemaOf } from './definitions.js';
export * from './time.js';
export * from './types.js';
