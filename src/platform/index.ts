export { type Checkpoint, generations, loadCheckpoint, saveCheckpoint } from './checkpoint-store.js';
export { type FolderLock, isAlive, lockFolder, renameDurable, writeFileAtomic, writeFileDurable } from './files.js';
export type { Logger } from './logging.js';
export { createNodeLogger } from './logging.js';
export { machine, ownVersion, versions } from './machine.js';
