// Draws the app's images into assets/, at one, two and three pixels a point: `node scripts/draw-images.mjs`.
import { writeFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';

const chunk = (type, data) => {
  const body = Buffer.concat([Buffer.from(type), data]);
  const chunkOf = Buffer.alloc(8 + body.length);
  chunkOf.writeUInt32BE(data.length, 0);
  body.copy(chunkOf, 4);
  chunkOf.writeUInt32BE(crc32(body), 4 + body.length);
  return chunkOf;
};

/** A square RGBA image; `colourAt` gets coordinates from -1 to 1 and answers [red, green, blue, alpha]. */
const png = (size, colourAt) => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const rows = Buffer.alloc((size * 4 + 1) * size);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      rows.set(colourAt(((x + 0.5) / size) * 2 - 1, ((y + 0.5) / size) * 2 - 1), y * (size * 4 + 1) + 1 + x * 4);
    }
  }
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))]);
};

const clear = [0, 0, 0, 0];
const inCircle = (x, y, radius) => Math.hypot(x, y) < radius;
const inLeaf = (x, y) => Math.hypot(x - 0.55, y) < 1 && Math.hypot(x + 0.55, y) < 1;

const images = {
  plant: [32, (x, y) => (inLeaf(x, y) ? (Math.abs(x) < 0.05 ? [228, 240, 220, 255] : [61, 122, 58, 255]) : clear)],
  bird: [32, (x, y) => (inCircle(x, y, 0.9) && y < Math.abs(x) * 0.8 - 0.1 && y > Math.abs(x) * 0.8 - 0.6 ? [42, 98, 158, 255] : clear)],
  insect: [32, (x, y) => (inCircle(x / 0.6, y, 0.9) ? (Math.floor((y + 1) * 5) % 2 === 0 ? [34, 30, 20, 255] : [238, 181, 46, 255]) : clear)],
  other: [32, (x, y) => (inCircle(x, y, 0.8) && !inCircle(x, y, 0.55) ? [109, 122, 104, 255] : clear)],
  logo: [48, (x, y) => (Math.abs(x) + Math.abs(y) * 0.6 < 0.95 && Math.abs(y) < 0.85 ? (inLeaf(x * 1.6, y * 1.6) ? [143, 202, 134, 255] : [238, 181, 46, 255]) : clear)],
};

for (const [name, [points, colourAt]] of Object.entries(images)) {
  for (const scale of [1, 2, 3]) {
    writeFileSync(new URL(`../assets/${name}${scale === 1 ? '' : `@${scale}x`}.png`, import.meta.url), png(points * scale, colourAt));
  }
}
