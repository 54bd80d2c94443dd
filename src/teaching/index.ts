export { usableDemonstrations } from './demonstrations.js';
export { type ExpertDriver, expertDriver } from './experts.js';
export { configurationFor, type TeachingSettings, teachingSettings } from './settings.js';
export { withSettingsFile } from './settings-file.js';
