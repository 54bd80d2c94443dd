/** What the head of a JPEG or PNG file says, before anything is decoded. */
export interface PictureHeader {
  readonly format: 'jpeg' | 'png';
  readonly width: number;
  readonly height: number;
}

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Reads the size that a JPEG or PNG file claims; null where the bytes are neither, or do not say one size. */
export function readPictureHeader(file: Uint8Array): PictureHeader | null {
  if (pngSignature.every((byte, i) => file[i] === byte)) return pngHeader(file);
  return file[0] === 0xff && file[1] === 0xd8 ? jpegHeader(file) : null;
}

/** The first chunk of a PNG is IHDR, which begins with width and height. */
function pngHeader(file: Uint8Array): PictureHeader | null {
  const isFirst = [0x49, 0x48, 0x44, 0x52].every((byte, i) => file[12 + i] === byte);
  if (!isFirst || file.length < 24) return null;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return { format: 'png', width: view.getUint32(16), height: view.getUint32(20) };
}

/** Walks over the segments of a JPEG up to its first scan. The size is in the one that begins a frame (SOF). */
function jpegHeader(file: Uint8Array): PictureHeader | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let found: PictureHeader | null = null;
  let at = 2;
  while (at + 4 <= file.length && file[at] === 0xff) {
    const marker = file[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0xda) return found;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      // A second frame with another size could ask for memory that the first did not.
      if (found !== null || at + 9 > file.length) return null;
      found = { format: 'jpeg', height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    const length = view.getUint16(at + 2);
    if (length < 2) return null;
    at += 2 + length;
  }
  return null;
}

/** Whether a JPEG file has its end: without it decoders fill the rest with grey. Cameras may pad it with zeros. */
export function hasJpegEnd(file: Uint8Array): boolean {
  let end = file.length;
  while (end > 0 && file[end - 1] === 0) end--;
  return end >= 2 && file[end - 2] === 0xff && file[end - 1] === 0xd9;
}
