export { trainingSettings, withSettingsFile } from '../sessions/index.js';
export type { TrainingSettings } from '../simulation/index.js';
export type { Io } from './command.js';
export { Display, type Terminal } from './display.js';
export { exitCode } from './exit.js';
export { type Progress, panel, progressLine, sparkline } from './panel.js';
export { run } from './program.js';
export { checkSpace } from './run-folder.js';
export { columns } from './table.js';
