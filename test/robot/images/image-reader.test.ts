import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CompressedImage, Image } from '#src/messages/index.js';
import { readImage } from '#src/robot/images/image-reader.js';
import type { ImageSource } from '#src/robot/images/image-source.js';

/** One case of test/golden/images/images.py, which made it with numpy and Pillow. */
interface Golden {
  readonly name: string;
  readonly image?: Omit<Image, 'header' | 'data'> & { readonly data: string };
  readonly compressed?: { readonly format: string; readonly data: string };
  readonly size: readonly [height: number, width: number, channels: 1 | 3];
  readonly crop?: ImageSource['crop'];
  readonly depth?: ImageSource['depth'];
  readonly expected: readonly number[];
  readonly tolerance?: number;
}

const golden = JSON.parse(
  readFileSync(new URL('../../golden/images/images.json', import.meta.url), 'utf8'),
) as readonly Golden[];
const header = { stamp: { sec: 1, nanosec: 0 }, frame_id: 'camera' };

function messageOf({ image, compressed }: Golden): Image | CompressedImage {
  // Bytes of a message lie at any address: an odd one finds readers that need another.
  const bytes = (text: string): Uint8Array => {
    const shifted = new Uint8Array(Buffer.from(` ${text}`, 'latin1').length + 1);
    const decoded = Buffer.from(text, 'base64');
    shifted.set(decoded, 1);
    return shifted.subarray(1, 1 + decoded.length);
  };
  return image === undefined
    ? { header, format: compressed!.format, data: bytes(compressed!.data) }
    : { header, ...image, data: bytes(image.data) };
}

function sourceOf({ size: [height, width, channels], crop, depth }: Golden): ImageSource {
  return {
    block: 'front',
    topic: '/camera',
    height,
    width,
    channels,
    ...(crop === undefined ? {} : { crop }),
    ...(depth === undefined ? {} : { depth }),
  };
}

const named = (name: string): Golden => golden.find((item) => item.name === name)!;

describe('an image as a block has the bytes that numpy and Pillow make of it', () => {
  test.each(golden)('$name', (item) => {
    const bytes = readImage(messageOf(item), sourceOf(item));
    if (!(bytes instanceof Uint8Array)) throw new Error(bytes.text);
    expect(bytes).toHaveLength(item.expected.length);
    const worst = Math.max(...item.expected.map((value, i) => Math.abs(value - bytes[i]!)));
    expect(worst).toBeLessThanOrEqual(item.tolerance ?? 0);
  });
});

describe('an image that cannot be used is refused with field, found and expected', () => {
  const rgb = messageOf(named('rgb8')) as Image;
  const source = sourceOf(named('rgb8'));
  const grey = { ...source, channels: 1 as const };
  const depth = { ...grey, depth: { near: 0.5, far: 4 } };
  const jpeg = messageOf(named('JPEG')) as CompressedImage;
  const png = messageOf(named('PNG')) as CompressedImage;
  const claim = (file: CompressedImage, at: number, bytes: readonly number[]): CompressedImage => {
    const data = Uint8Array.from(file.data);
    data.set(bytes, at);
    return { ...file, data };
  };
  /** Where a JPEG says its height: behind the marker of its frame. */
  const frame = jpeg.data.findIndex(
    (byte, i) => byte === 0xff && (jpeg.data[i + 1] === 0xc0 || jpeg.data[i + 1] === 0xc2),
  );

  test.each<[string, Image | CompressedImage, ImageSource, string]>([
    ['another encoding', { ...rgb, encoding: 'yuv422' }, source, "encoding is 'yuv422', expected one of rgb8, bgr8"],
    ['a name of JavaScript', { ...rgb, encoding: 'constructor' }, source, "encoding is 'constructor', expected one of"],
    [
      'truncated data',
      { ...rgb, data: rgb.data.subarray(1) },
      source,
      'data is 461 bytes, expected 462 for 11 rows of 42',
    ],
    ['a step too short', { ...rgb, step: 41 }, source, 'step is 41 bytes, expected at least 42 for 14 pixels of rgb8'],
    ['no pixels', { ...rgb, height: 0 }, source, 'width × height is 14 × 0, expected a picture of at least one pixel'],
    [
      'too small',
      rgb,
      { ...source, width: 15 },
      'width × height is 14 × 11, expected at least 15 × 4, the size of front',
    ],
    [
      'a crop beyond it',
      rgb,
      { ...source, crop: { x: 10, y: 0, width: 5, height: 5 } },
      'width × height is 14 × 11, expected at least 15 × 5, for the crop of front',
    ],
    [
      'grey for colour',
      messageOf(named('mono8')),
      source,
      'encoding is mono8, expected colour for front of 3 channels',
    ],
    ['colour for depth', rgb, depth, 'encoding is rgb8, expected distances for front, which has a depth'],
    [
      'depth for grey',
      messageOf(named('16UC1')),
      grey,
      'encoding is 16UC1, expected colour or grey for front, or depth',
    ],
    ['a JPEG for depth', jpeg, depth, 'data is a picture of colour (8 bits), expected distances'],
    [
      'depth as numbers',
      { ...png, format: '32FC1; compressedDepth png' },
      depth,
      "format is '32FC1; compressedDepth png', expected '16UC1; compressedDepth png'",
    ],
    [
      'no picture',
      { ...png, data: Uint8Array.of(1, 2, 3), format: 'h264' },
      source,
      "data is 3 bytes of format 'h264', expected a JPEG or PNG file",
    ],
    ['nothing', { ...png, data: new Uint8Array(0) }, source, 'data is 0 bytes of format'],
    [
      'a JPEG cut off',
      { ...jpeg, data: jpeg.data.subarray(0, -40) },
      source,
      'without its end, expected the whole file',
    ],
    ['a PNG cut off', { ...png, data: png.data.subarray(0, -40) }, source, 'data is a PNG file that is damaged'],
    ['a PNG with a flipped bit', claim(png, 60, [png.data[60]! ^ 1]), source, 'data is a PNG file that is damaged'],
    ['a JPEG of two sizes', { ...jpeg, data: twice(jpeg.data, frame) }, source, 'expected a JPEG or PNG file'],
  ])('%s', (_, message, wanted, text) => {
    const refused = readImage(message, wanted);
    if (refused instanceof Uint8Array) throw new Error('it was taken');
    expect(refused.text).toContain(text);
    expect(refused.text).toContain(refused.found);
    expect(refused.text).toContain(refused.expected);
  });

  test('what claims to be 60000 × 60000 is refused before anything is decoded', () => {
    const before = process.memoryUsage().rss;
    const began = performance.now();
    for (const message of [
      claim(png, 16, [0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]),
      claim(jpeg, frame + 5, [0xea, 0x60, 0xea, 0x60]),
    ]) {
      const refused = readImage(message, source);
      expect(refused).toMatchObject({
        field: 'data',
        found: 'a picture of 60000 × 60000',
        expected: '1 to 20 million pixels',
      });
    }
    expect(performance.now() - began).toBeLessThan(100);
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
  });
});

/** A JPEG with the segment that begins at `frame` twice. */
function twice(data: Uint8Array, frame: number): Uint8Array {
  const end = frame + 2 + data[frame + 2]! * 256 + data[frame + 3]!;
  return Uint8Array.from([...data.subarray(0, end), ...data.subarray(frame)]);
}

describe('whatever arrives, an image becomes whole bytes or a reason', () => {
  const source = sourceOf(named('JPEG'));
  const check = (message: Image | CompressedImage, wanted: ImageSource): void => {
    const read = readImage(message, wanted);
    if (read instanceof Uint8Array) expect(read).toHaveLength(wanted.height * wanted.width * wanted.channels);
    else expect(read).toMatchObject({ kind: 'incomplete', field: /./, text: /expected/ });
  };

  test.each(['JPEG', 'JPEG, progressive', 'PNG', 'PNG, 16 bits', 'compressedDepth'])('a mutated file: %s', (name) => {
    const item = named(name);
    const whole = messageOf(item) as CompressedImage;
    const change = fc.tuple(fc.nat(whole.data.length - 1), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.nat(whole.data.length),
        fc.boolean(),
        (changes, cut, isCut) => {
          const data = Uint8Array.from(whole.data);
          for (const [at, byte] of changes) data[at] = byte;
          check({ ...whole, data: isCut ? data.subarray(0, cut) : data }, sourceOf(item));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('a raw image with any numbers in its fields', () => {
    const field = fc.oneof(fc.nat(40), fc.nat(0xffffffff));
    fc.assert(
      fc.property(
        field,
        field,
        field,
        fc.constantFrom('rgb8', 'mono16', '32FC1', 'bgra8', ''),
        fc.uint8Array({ maxLength: 4000 }),
        (height, width, step, encoding, data) => {
          check(
            { header, height, width, step, encoding, is_bigendian: 0, data },
            { ...source, height: 2, width: 3, channels: 1 },
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
