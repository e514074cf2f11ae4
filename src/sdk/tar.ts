/**
 * Writes the tar that `pack` takes: regular files named by their SHA-256, 512-byte ustar headers, nothing after the
 * two closing blocks.
 *
 * Its own few lines, because the SDK has no runtime dependencies and must run in browsers, because the length has to
 * be known to the byte before it is sent (it is signed), and because a Blob of Blobs holds no file in memory where the
 * platform reads them from disk: the tar packages on npm stream in Node only.
 */

const blockBytes = 512;

export interface TarEntry {
  /** At most 100 bytes of ASCII. */
  readonly name: string;
  readonly content: Blob;
}

const padding = (sizeBytes: number): number => (blockBytes - (sizeBytes % blockBytes)) % blockBytes;

/** Length of the tar over contents of these lengths. */
export const tarSizeBytes = (sizes: readonly number[]): number =>
  sizes.reduce((sum, size) => sum + blockBytes + size + padding(size), 2 * blockBytes);

/** One ustar header: mode 0644, no owner, no time, so that the same contents make the same tar. */
export function tarHeader(name: string, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(blockBytes);
  const encoder = new TextEncoder();
  const put = (text: string, at: number): void => header.set(encoder.encode(text), at);
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) throw new RangeError('a name in a tar has 1 to 100 printable ASCII characters');
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || sizeBytes >= 8 ** 11) throw new RangeError('a file in a tar has at most 8 GiB');
  put(name, 0);
  put('0000644\0', 100);
  put('0000000\0', 108);
  put('0000000\0', 116);
  put(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124);
  put('00000000000\0', 136);
  // The checksum is made as if its own field were spaces.
  put('        ', 148);
  put('0', 156);
  put('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** The whole tar. Contents are referred to, not copied. */
export function tar(entries: readonly TarEntry[]): Blob {
  const parts: (Blob | Uint8Array<ArrayBuffer>)[] = entries.flatMap(({ name, content }) => [tarHeader(name, content.size), content, new Uint8Array(padding(content.size))]);
  return new Blob([...parts, new Uint8Array(2 * blockBytes)]);
}
