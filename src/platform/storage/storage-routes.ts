/**
 * Serves the file storage's signed URLs: a plain node:http listener, mounted beside the API at `/storage`, outside
 * `/api/v1` (`app.use('/storage', listener)` strips the mount, which is what it expects).
 *
 * The signature is the only authority here: there is no session, no cookie, no listing. What is not signed, tampered
 * with or expired is one 403, whether the object exists or not.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { FileStorage } from './file-storage.ts';
import { attachment } from './object-key.ts';
import { parseRange } from './range.ts';
import type { Grant } from './signed-url.ts';
import { StorageError, type ObjectHead } from './storage.ts';

export interface StorageRoutesSettings {
  readonly storage: FileStorage;
  /** Origins whose scripts may read and upload. Anyone may load by an element: the signature is the authority. */
  readonly corsOrigins: readonly string[];
  /** True when the routes have an origin of their own (STORAGE_BASE_URL): then content need not be an attachment. */
  readonly ownOrigin: boolean;
  /** What fails inside, for the log: never the URL. The caller sees STORAGE_ERROR. */
  readonly onError: (error: unknown) => void;
}

export type StorageListener = (request: IncomingMessage, response: ServerResponse) => void;

type GetGrant = Extract<Grant, { method: 'GET' }>;
type PutGrant = Extract<Grant, { method: 'PUT' }>;

/** A refused upload is read on for so long, so that its sender gets to see the answer; then the connection ends. */
const lingerMs = 2_000;
const lingerBytes = 1_048_576;

const errors = {
  400: ['VALIDATION_ERROR', 'The content is not what this link was made for.'],
  403: ['FORBIDDEN', 'This link is not valid, or no longer.'],
  404: ['NOT_FOUND', 'There is nothing here, or nothing you may see.'],
  405: ['METHOD_NOT_ALLOWED', 'Links are for GET, HEAD or PUT.'],
  416: ['RANGE_NOT_SATISFIABLE', 'The range begins behind the end.'],
  502: ['STORAGE_ERROR', 'The storage did not answer. Try again in a moment.'],
} as const;

function secure(response: ServerResponse): void {
  response.setHeader('Content-Security-Policy', 'sandbox');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'private');
  response.setHeader('Referrer-Policy', 'no-referrer');
  // A preview's frame has an opaque origin and loads its bundle and pictures from here.
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
}

function refuse(request: IncomingMessage, response: ServerResponse, status: keyof typeof errors): void {
  if (response.headersSent) {
    // Too late for an answer: breaking off is the only way left to say that the content is not whole.
    response.destroy();
    return;
  }
  const [code, message] = errors[status];
  const body = JSON.stringify({ ok: false, data: null, error: { code, message, details: null } });
  for (const name of ['Content-Encoding', 'Content-Disposition', 'Content-Range', 'ETag']) response.removeHeader(name);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...(request.complete || request.method === 'GET' ? {} : { Connection: 'close' }),
  });
  response.end(body);
  if (request.complete || request.destroyed) return;
  let drained = 0;
  const timer = setTimeout(() => request.destroy(), lingerMs);
  request.once('close', () => clearTimeout(timer));
  request.on('data', (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > lingerBytes) request.destroy();
  });
  request.on('error', () => undefined);
}

/** @returns true when this was a preflight, and has been answered */
function allowOrigin(request: IncomingMessage, response: ServerResponse, origins: readonly string[]): boolean {
  response.setHeader('Vary', 'Origin');
  const origin = request.headers.origin;
  if (origin !== undefined && origins.includes(origin)) {
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', 'ETag, Content-Length, Content-Range, Content-Encoding');
    response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, PUT');
    response.setHeader('Access-Control-Allow-Headers', 'Content-Type, Content-Encoding, Range');
    response.setHeader('Access-Control-Max-Age', '600');
  }
  if (request.method !== 'OPTIONS') return false;
  response.writeHead(204).end();
  return true;
}

function describe(response: ServerResponse, grant: GetGrant, head: Omit<ObjectHead, 'sha256'>, ownOrigin: boolean): void {
  response.setHeader('Content-Type', grant.contentType ?? head.contentType);
  if (head.contentEncoding !== null) response.setHeader('Content-Encoding', head.contentEncoding);
  response.setHeader('ETag', `"${head.etag}"`);
  response.setHeader('Last-Modified', new Date(head.modifiedAtMs).toUTCString());
  response.setHeader('Accept-Ranges', 'bytes');
  if (grant.downloadName !== null) response.setHeader('Content-Disposition', attachment(grant.downloadName));
  else if (!ownOrigin) response.setHeader('Content-Disposition', 'attachment');
}

async function serve(settings: StorageRoutesSettings, request: IncomingMessage, response: ServerResponse, grant: GetGrant): Promise<void> {
  const head = await settings.storage.head(grant.key);
  describe(response, grant, head, settings.ownOrigin);
  if (request.headers['if-none-match'] === `"${head.etag}"`) {
    response.writeHead(304).end();
    return;
  }
  // If-Range with another version: the whole of the present one, as the RFC says.
  const rangeApplies = request.headers['if-range'] === undefined || request.headers['if-range'] === `"${head.etag}"`;
  const range = rangeApplies ? parseRange(request.headers.range, head.sizeBytes) : null;
  if (request.method === 'HEAD') {
    response.writeHead(200, { 'Content-Length': head.sizeBytes }).end();
    return;
  }
  const content = await settings.storage.get(grant.key, range === null ? {} : { range });
  // The object may have been replaced since `head`: what is announced must be what is sent.
  describe(response, grant, content, settings.ownOrigin);
  if (range === null) response.writeHead(200, { 'Content-Length': content.sizeBytes });
  else {
    const end = range.start + content.sizeBytes - 1;
    response.writeHead(206, {
      'Content-Length': content.sizeBytes,
      'Content-Range': `bytes ${range.start}-${end}/${content.totalBytes}`,
    });
  }
  await pipeline(content.stream, response);
}

/** Every header that the signature covers, against what came. */
function isAsSigned(request: IncomingMessage, grant: PutGrant): boolean {
  const { headers } = request;
  return headers['content-length'] === String(grant.sizeBytes)
    && headers['content-type'] === grant.contentType
    && (headers['content-encoding'] ?? null) === grant.contentEncoding;
}

async function store(settings: StorageRoutesSettings, request: IncomingMessage, response: ServerResponse, grant: PutGrant): Promise<void> {
  if (!isAsSigned(request, grant)) {
    refuse(request, response, 403);
    return;
  }
  const stored = await settings.storage.put(grant.key, request, {
    contentType: grant.contentType,
    sizeBytes: grant.sizeBytes,
    maxBytes: grant.sizeBytes,
    ...(grant.contentEncoding === null ? {} : { contentEncoding: grant.contentEncoding }),
    ...(grant.sha256 === null ? {} : { sha256: grant.sha256 }),
  });
  response.writeHead(200, { ETag: `"${stored.etag}"`, 'Content-Length': 0 }).end();
}

function statusOf(error: unknown): keyof typeof errors {
  if (!(error instanceof StorageError)) return 502;
  switch (error.kind) {
    case 'not_found': return 404;
    case 'bad_range': return 416;
    case 'too_large':
    case 'checksum_mismatch': return 400;
    case 'bad_key': return 403;
    case 'unavailable': return 502;
  }
}

async function answer(settings: StorageRoutesSettings, request: IncomingMessage, response: ServerResponse): Promise<void> {
  secure(response);
  if (allowOrigin(request, response, settings.corsOrigins)) return;
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== 'GET' && method !== 'PUT') {
    response.setHeader('Allow', 'GET, HEAD, PUT, OPTIONS');
    refuse(request, response, 405);
    return;
  }
  const grant = settings.storage.signer.verify(method, request.url ?? '');
  if (grant === null) {
    refuse(request, response, 403);
    return;
  }
  await (grant.method === 'GET' ? serve(settings, request, response, grant) : store(settings, request, response, grant));
}

/** The listener; it answers every request, and never throws. */
export const storageRoutes = (settings: StorageRoutesSettings): StorageListener => (request, response) => {
  answer(settings, request, response).catch((error: unknown) => {
    const status = statusOf(error);
    // A client that went away half-way is everyday life, not a fault of the store.
    if (status === 502 && !request.destroyed && !response.destroyed) settings.onError(error);
    refuse(request, response, status);
  });
};
