import { encode } from 'uqr';

/** A QR code as SVG, one path of runs: a fifth of a square for each module. Dark on white, with a quiet zone, whatever is around it. */
export function qrCode(text: string, label: string): string {
  // The lowest level of correction: the code is read off a screen, and larger modules help more than spare ones.
  const { data, size } = encode(text, { ecc: 'L', border: 4 });
  const runs: string[] = [];
  for (const [y, row] of data.entries()) {
    for (let x = 0; x < size; x += 1) {
      if (row[x] !== true) continue;
      const start = x;
      while (row[x + 1] === true) x += 1;
      runs.push(`M${start} ${y}h${x - start + 1}v1H${start}z`);
    }
  }
  return `<svg class="qr" role="img" aria-label="${label}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">`
    + `<path fill="#fff" d="M0 0h${size}v${size}H0z"/><path fill="#000" d="${runs.join('')}"/></svg>`;
}
