export { executables } from './executables/index.js';
