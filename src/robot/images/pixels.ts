/** The numbers of a picture where they lie, so that nothing is copied before it is made small. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly shows: 'colour' | 'grey' | 'depth';
  readonly data: Uint8Array | Uint16Array | Float32Array;
  /** Elements of `data` from a row to the next, and from a pixel to the next. */
  readonly rowStride: number;
  readonly pixelStride: number;
  /** Where the numbers of the first pixel lie: red, green and blue, or the only one. */
  readonly offsets: readonly number[];
  /** Of colour and grey: the number that is white. Of depth: metres of the number 1. */
  readonly scale: number;
}

/** A rectangle of a picture, in its pixels. */
export interface Crop {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The distances, in metres, that the bytes 1 and 255 stand for. */
export interface DepthRange {
  readonly near: number;
  readonly far: number;
}
