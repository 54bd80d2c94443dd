export * from './action-mapper.js';
export * from './assembler.js';
export * from './contract.js';
export * from './files.js';
export { parseRobotSpec } from './parse.js';
export * from './readings.js';
export * from './types.js';
export { units } from './units.js';
