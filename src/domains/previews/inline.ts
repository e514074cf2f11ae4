import { createHash } from 'node:crypto';
import type { InlineSource, PreviewSource } from '#generated/sdk/types.gen.ts';
import { ServiceError } from '#platform/errors.ts';

/** Contents that come with a request, all together. */
const inlineBytes = 5 * 1024 * 1024;

export interface Inline {
  readonly files: readonly PreviewSource[];
  readonly contents: readonly { readonly sha256: string; readonly content: Buffer }[];
}

/** Turns inline contents into sources by their hash; each content once. VALIDATION_ERROR for bad base64, PAYLOAD_TOO_LARGE beyond 5 MiB. */
export function decodeInline(files: readonly (PreviewSource | InlineSource)[]): Inline {
  const contents = new Map<string, Buffer>();
  let bytes = 0;
  const sources = files.map((file, index): PreviewSource => {
    if (!('content_base64' in file)) return file;
    const content = Buffer.from(file.content_base64, 'base64');
    // Buffer reads past what is no base64; what comes back differs then.
    if (content.toString('base64').replace(/=+$/, '') !== file.content_base64.replace(/=+$/, '')) {
      throw new ServiceError('VALIDATION_ERROR', 'This content is not base64.', {
        details: [{ pointer: `#/body/files/${index}/content_base64`, message: 'must be base64', rule: 'contentEncoding' }],
      });
    }
    bytes += content.length;
    if (bytes > inlineBytes) throw new ServiceError('PAYLOAD_TOO_LARGE', 'Contents sent inline may have 5 MiB together. Use requestPreview.', { details: { max_bytes: inlineBytes } });
    const sha256 = createHash('sha256').update(content).digest('hex');
    contents.set(sha256, content);
    return { path: file.path, sha256, size: content.length };
  });
  return { files: sources, contents: [...contents].map(([sha256, content]) => ({ sha256, content })) };
}
