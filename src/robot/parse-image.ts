import { type Block, STATE_BLOCK } from '../common/index.js';
import type { Path, SpecDocument } from './document.js';
import type { ImageSource } from './images/image-source.js';
import { imageTypes } from './kinds/registry.js';
import { checkTopic, checkUnique } from './parse-observation.js';
import { featureForms, fieldsOf } from './schema.js';
import type { TopicSpec } from './types.js';

const { image: form } = featureForms;

/** The blocks that the entries of `observation` with an `image` describe, in their order, and how each is made. */
export function readImages(
  document: SpecDocument,
  entries: readonly unknown[],
  topics: readonly TopicSpec[],
): { readonly blocks: Block[]; readonly images: ImageSource[] } {
  const images: ImageSource[] = [];
  const names = new Set([STATE_BLOCK]);
  entries.forEach((entry, index) => {
    if (!isImageEntry(entry)) return;
    const path = ['observation', index];
    images.push(readOne(document, entry, path, topics));
    checkUnique(document, names, [...path, 'name'], images.at(-1)!.block, "names of images, and not 'state',");
  });
  return { images, blocks: images.map(blockOf) };
}

function isImageEntry(entry: unknown): entry is object {
  return typeof entry === 'object' && entry !== null && 'image' in entry;
}

function readOne(document: SpecDocument, entry: object, path: Path, topics: readonly TopicSpec[]): ImageSource {
  if ('steps' in entry)
    throw document.refusal([...path, 'steps'], {
      found: 'steps of an image',
      expected: 'the newest image alone: there is no history of images',
      remedy: 'give steps to features that are numbers, such as velocities, or to past_actions',
    });
  const { name, topic, image, crop, depth } = document.check(form, entry, path, fieldsOf(form));
  checkTopic(document, [...path, 'topic'], topic, topics, imageTypes);
  if (crop !== undefined && (crop.width < image.width || crop.height < image.height))
    throw document.refusal([...path, 'crop'], {
      found: `a crop of ${crop.width} × ${crop.height} for ${image.width} × ${image.height}`,
      expected: 'at least the size of the image: pixels are averaged, never invented',
    });
  if (depth !== undefined && !(depth.near < depth.far && depth.far < Number.POSITIVE_INFINITY))
    throw document.refusal([...path, 'depth'], {
      found: `near ${depth.near}, far ${depth.far}`,
      expected: 'metres, near below far, both finite',
    });
  if (depth !== undefined && image.channels === 3)
    throw document.refusal([...path, 'image', 'channels'], { found: '3 of a depth', expected: '1' });
  return {
    block: name,
    topic,
    ...image,
    ...(crop === undefined ? {} : { crop }),
    ...(depth === undefined ? {} : { depth }),
  };
}

/** The block of an image. A policy that was trained on one part of a picture, or one range, is not for another. */
function blockOf({ block, height, width, channels, crop, depth }: ImageSource): Block {
  const meaning = [
    ...(crop === undefined ? [] : [`crop ${crop.width} × ${crop.height} at ${crop.x}, ${crop.y}`]),
    ...(depth === undefined ? [] : [`depth ${depth.near} to ${depth.far} m`]),
  ].join('; ');
  return {
    name: block,
    shape: [height, width, channels],
    dtype: 'uint8',
    normalise: 'unit',
    ...(meaning === '' ? {} : { meaning }),
  };
}
