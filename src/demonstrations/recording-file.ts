import type { IWritable } from '@mcap/core';
import type { OutputFile } from '../platform/index.js';

/** What a recording is written to: a file, or what a test puts in its place (a disk that fills up). */
export type RecordingFile = OutputFile & IWritable;
