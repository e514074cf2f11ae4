/** The preview operations as the contract states them, for the SDK's own tests: uploads are checked as storage checks them. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { tarSizeBytes } from '#sdk/tar.ts';
import { sendData, sendError, type Answer, type Asked, type Fixture } from './fixture.ts';

export interface PreviewApi {
  readonly blobs: Map<string, Buffer>;
  readonly requests: { files: { path: string; sha256: string; size: number }[]; [field: string]: unknown }[];
  readonly calls: string[];
  /** What the stream tells, after `queued`. */
  outcome: Record<string, unknown>[];
  /** How many of the missing are in the first answer. */
  firstMissing: number;
  readonly answer: Answer;
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
const jobId = '01920000-0000-7000-8000-000000000601';

async function unpack(packed: Buffer): Promise<[string, Buffer][]> {
  const reader = extract();
  Readable.from([packed]).pipe(reader);
  const found: [string, Buffer][] = [];
  for await (const entry of reader) found.push([entry.header.name, await buffer(entry)]);
  return found;
}

export function previewApi(fixture: Fixture): PreviewApi {
  let missing: { sha256: string; size: number }[] = [];
  const target = (hash: string): object => ({ sha256: hash, upload_url: `${fixture.baseUrl}/upload/${hash}?signature=x`, headers: { 'content-type': 'application/octet-stream', 'x-signed': hash.slice(0, 8) } });
  const job = (more: object = {}): object => ({ id: jobId, project_id: 'project', entry_file: 'index.js', status: 'queued', awaiting_upload: missing.length > 0, missing_count: missing.length, stage: null, progress: 0, error: null, ...more });
  const page = (items: readonly object[], next: string | null = null): object => ({ items, page: { limit: 200, offset: 0, total: null, next_cursor: next } });

  const upload = async (asked: Asked): Promise<number> => {
    const name = asked.target.split('?')[0]?.slice('/upload/'.length) ?? '';
    if (name === 'pack') {
      if (asked.body.length !== tarSizeBytes(missing.map(({ size }) => size))) return 403;
      for (const [hash, content] of await unpack(asked.body)) if (sha256(content) === hash) api.blobs.set(hash, content);
      return 200;
    }
    if (asked.headers['x-signed'] !== name.slice(0, 8) || asked.headers.authorization !== undefined) return 403;
    if (sha256(asked.body) !== name) return 400;
    api.blobs.set(name, asked.body);
    return 200;
  };

  const api: PreviewApi = {
    blobs: new Map(), requests: [], calls: [], firstMissing: 1000,
    outcome: [{ status: 'running', stage: 'bundling', progress: 50 }, { status: 'running', stage: 'uploading', progress: 90 }, { status: 'succeeded', progress: 100 }],
    answer: async (asked, response) => {
      const [path = '', query = ''] = asked.target.split('?');
      const name = `${asked.method} ${path.replace('/api/v1', '').replace(jobId, '{id}').replace(/upload\/[0-9a-f]{64}/, 'upload/{sha256}')}`;
      api.calls.push(name);
      switch (name) {
        case 'POST /preview/request': {
          const request = JSON.parse(asked.body.toString()) as (typeof api.requests)[number];
          api.requests.push(request);
          const sizes = new Map<string, number>(request.files.map((file) => [file.sha256, file.size]));
          missing = [...sizes].map(([hash, size]) => ({ sha256: hash, size })).filter((blob) => !api.blobs.has(blob.sha256)).sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
          sendData(response, {
            job: job(), token: 'preview-token', expires_in: 900,
            missing: missing.slice(0, api.firstMissing).map((blob) => target(blob.sha256)),
            pack: missing.length === 0 ? null : { upload_url: `${fixture.baseUrl}/upload/pack`, headers: { 'content-type': 'application/x-tar' } },
          }, 202);
          return;
        }
        case 'GET /preview/jobs/{id}/missing': {
          const from = Number(new URLSearchParams(query).get('cursor') ?? 0);
          sendData(response, page(missing.slice(from, from + 7).map((blob) => target(blob.sha256)), from + 7 < missing.length ? String(from + 7) : null));
          return;
        }
        case 'PUT /upload/{sha256}':
        case 'PUT /upload/pack':
          response.writeHead(await upload(asked)).end();
          return;
        case 'POST /preview/jobs/{id}/start':
          if (missing.every((blob) => api.blobs.has(blob.sha256))) sendData(response, job({ awaiting_upload: false }), 202);
          else sendError(response, 409, 'CONFLICT');
          return;
        case 'GET /preview/jobs/{id}/events':
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          for (const step of [{ status: 'queued' }, ...api.outcome]) response.write(`event: job\ndata: ${JSON.stringify(job(step))}\n\n`);
          response.end('event: log\ndata: {"message":"done"}\n\n');
          return;
        case 'GET /preview/jobs/{id}/artifacts':
          sendData(response, page(['gzip', 'identity'].map((encoding) => ({ kind: 'bundle', path: 'bundle.js', encoding, url: `https://storage.example.com/${encoding}` }))));
          return;
        default:
          sendError(response, 404, 'NOT_FOUND');
      }
    },
  };
  fixture.answer = api.answer;
  return api;
}
