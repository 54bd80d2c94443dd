import type { CompressedImage, Header, Image } from '../../messages/index.js';
import type { Refused } from '../readers.js';
import type { RobotSpec } from '../types.js';
import { pictureFile } from './compressed-pixels.js';
import { readImage } from './image-reader.js';
import type { ImageSource } from './image-source.js';
import { type PictureHeader, readPictureHeader } from './picture-header.js';

type Size = Pick<PictureHeader, 'width' | 'height'>;

function sizeOf(image: Image | CompressedImage): Size | null {
  const said = 'encoding' in image ? image : readPictureHeader(pictureFile(image));
  return said === null ? null : { width: said.width, height: said.height };
}

/** An image of which only what a robot observes is kept: its blocks' bytes, or why it cannot be used. */
class KeptImage {
  readonly header: Header;
  /** Of the picture as it came, in pixels; null where its bytes do not say one. */
  readonly size: Size | null;
  readonly #blocks: ReadonlyMap<string, Uint8Array | Refused>;

  constructor(header: Header, size: Size | null, blocks: ReadonlyMap<string, Uint8Array | Refused>) {
    this.header = header;
    this.size = size;
    this.#blocks = blocks;
  }

  read({ block }: ImageSource): Uint8Array | Refused {
    const found = this.#blocks.get(block);
    if (found === undefined) throw new RangeError(`nothing of the block ${block} was kept`);
    return found;
  }

  /** All that is kept, to tell a repetition of an image from another one. */
  get bytes(): Uint8Array {
    const parts = [...this.#blocks.values()].map((kept) =>
      kept instanceof Uint8Array ? kept : new TextEncoder().encode(kept.text),
    );
    const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

/** What an image on a state topic is to this robot, for a recording, whose pictures would not all fit into memory. */
export function keptImage({ images = [] }: Pick<RobotSpec, 'images'>, topic: string, message: unknown): KeptImage {
  const image = message as Image | CompressedImage;
  const own = images.filter((source) => source.topic === topic);
  return new KeptImage(
    image.header,
    sizeOf(image),
    new Map(own.map((source) => [source.block, readImage(image, source)])),
  );
}

/** The bytes of a block from an image as it arrived, or as it was kept; or why it cannot be used. */
export function imageOf(message: unknown, source: ImageSource): Uint8Array | Refused {
  return message instanceof KeptImage ? message.read(source) : readImage(message as Image | CompressedImage, source);
}
