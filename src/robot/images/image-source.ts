import type { Crop, DepthRange } from './pixels.js';
import type { Size } from './shrink.js';

/** How a block of an observation is made of the images of a topic. */
export interface ImageSource extends Size {
  /** The name of the block. */
  readonly block: string;
  readonly topic: string;
  /** The part of the picture that is looked at; all of it where left out. */
  readonly crop?: Crop;
  /** The picture's numbers are distances. */
  readonly depth?: DepthRange;
}
