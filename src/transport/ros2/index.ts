export { openRos2 } from './open.js';
export type * from './types.js';
