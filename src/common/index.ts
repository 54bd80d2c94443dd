export { type SteadyClock, steadyClock } from './clock.js';
export { type ErrorCode, IqLearnError, messageOf, type PackedError, packError, unpackError } from './errors.js';
export { type ParseOptions, parseOrThrow, type Refusal, refusalOf, valueAt } from './parse.js';
export { Random, type RandomState } from './random.js';
export { nearest, unknownName } from './suggest.js';
