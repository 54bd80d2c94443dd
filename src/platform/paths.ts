/** Functions on paths of the file system, for rooms that import nothing from Node themselves. */
export { basename, dirname, extname, join, resolve } from 'node:path';
