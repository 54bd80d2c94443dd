/** Paths of the file system, for rooms that import nothing of Node themselves. */
export { basename, dirname, extname, join, resolve } from 'node:path';
