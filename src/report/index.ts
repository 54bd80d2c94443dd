export * from './data.js';
export { renderReport } from './document.js';
export { count, duration, figure, meanAndDeviation, percent } from './format.js';
export { type SceneBody, sceneReplay } from './replay.js';
export { type Summary, summarise } from './statistics.js';
