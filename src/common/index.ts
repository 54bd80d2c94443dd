export { type SteadyClock, steadyClock } from './clock.js';
export { type ErrorCode, IqLearnError, messageOf } from './errors.js';
export { Random, type RandomState } from './random.js';
export { nearest, unknownName } from './suggest.js';
