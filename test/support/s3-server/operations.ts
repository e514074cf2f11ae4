/** The S3 operations, path style, on one bucket. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { strike, type Faults } from './faults.ts';
import type { Meta, Objects } from './objects.ts';
import { decodePath, parseQuery, S3Fault, verifySignature, type Credentials, type Verified } from './signature.ts';

export interface Served {
  readonly objects: Objects;
  readonly faults: Faults;
  readonly bucket: string;
  readonly credentials: Credentials;
  now(): number;
}

interface Context extends Served {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly verified: Verified;
}

const escapeXml = (text: string): string =>
  text.replaceAll(/[<>&"'\r\n]/g, (c) => `&#${c.charCodeAt(0)};`);

const unescapeXml = (text: string): string => text
  .replaceAll(/&#x([0-9a-f]+);/gi, (_all, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
  .replaceAll(/&#(\d+);/g, (_all, decimal: string) => String.fromCodePoint(Number(decimal)))
  .replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&amp;', '&');

function sendXml(response: ServerResponse, status: number, xml: string): void {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length }).end(body);
}

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
};

function existing(context: Context, key: string): Meta {
  const meta = context.objects.find(key);
  if (meta === undefined) throw new S3Fault(404, 'NoSuchKey', 'The specified key does not exist.');
  return meta;
}

async function putObject(context: Context): Promise<void> {
  const { request, response, key, objects } = context;
  const received = await objects.receive(request, context.verified.payloadHash);
  objects.save({
    key, file: received.file, sizeBytes: received.sizeBytes, etag: received.md5,
    checksumSha256: header(request, 'x-amz-checksum-sha256') ?? null,
    contentType: header(request, 'content-type') ?? 'binary/octet-stream',
    contentEncoding: header(request, 'content-encoding') ?? null,
  });
  response.writeHead(200, { etag: `"${received.md5}"`, 'content-length': 0 }).end();
}

async function copyObject(context: Context): Promise<void> {
  const { request, response, key, objects, bucket } = context;
  request.resume();
  const source = decodeURIComponent((header(request, 'x-amz-copy-source') ?? '').replace(/^\//, ''));
  if (!source.startsWith(`${bucket}/`)) throw new S3Fault(404, 'NoSuchBucket', 'The specified bucket does not exist.');
  const meta = existing(context, source.slice(bucket.length + 1));
  const wanted = header(request, 'x-amz-copy-source-if-match');
  if (wanted !== undefined && wanted.replaceAll('"', '') !== meta.etag) throw new S3Fault(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold.');
  const described = header(request, 'x-amz-metadata-directive') !== 'REPLACE' ? {} : {
    contentType: header(request, 'content-type') ?? 'binary/octet-stream', contentEncoding: header(request, 'content-encoding') ?? null,
  };
  const saved = objects.save({ ...meta, ...described, key });
  sendXml(response, 200, `<CopyObjectResult><ETag>&quot;${saved.etag}&quot;</ETag><LastModified>${new Date(saved.modifiedAtMs).toISOString()}</LastModified></CopyObjectResult>`);
}

function describe(context: Context, meta: Meta): Record<string, string | number> {
  const { request, query } = context;
  const disposition = query.get('response-content-disposition');
  return {
    'content-type': query.get('response-content-type') ?? meta.contentType,
    'last-modified': new Date(meta.modifiedAtMs).toUTCString(),
    etag: `"${meta.etag}"`,
    'accept-ranges': 'bytes',
    ...(meta.contentEncoding === null ? {} : { 'content-encoding': meta.contentEncoding }),
    ...(disposition === undefined ? {} : { 'content-disposition': disposition }),
    ...(header(request, 'x-amz-checksum-mode') === 'ENABLED' && meta.checksumSha256 !== null
      ? { 'x-amz-checksum-sha256': meta.checksumSha256, 'x-amz-checksum-type': 'FULL_OBJECT' }
      : {}),
  };
}

async function getObject(context: Context): Promise<void> {
  const { request, response, objects } = context;
  const meta = existing(context, context.key);
  const headers = describe(context, meta);
  const match = /^bytes=(\d+)-(\d*)$/.exec(header(request, 'range') ?? '');
  let [start, end] = [0, meta.sizeBytes - 1];
  if (match !== null) {
    start = Number(match[1]);
    end = Math.min(match[2] === '' ? end : Number(match[2]), end);
    if (start >= meta.sizeBytes || end < start) throw new S3Fault(416, 'InvalidRange', 'The requested range is not satisfiable');
    headers['content-range'] = `bytes ${start}-${end}/${meta.sizeBytes}`;
  }
  const fault = context.faults.meet('GetObjectBody');
  response.writeHead(match === null ? 200 : 206, { ...headers, 'content-length': end - start + 1 });
  if (request.method === 'HEAD' || end < start) {
    response.end();
    return;
  }
  if (fault?.mode === 'stall' || fault?.mode === 'truncate') {
    for await (const chunk of objects.read(meta, start, start + (fault.afterBytes ?? 1) - 1)) response.write(chunk);
    if (fault.mode === 'truncate') response.socket?.destroySoon();
    return;
  }
  await pipeline(objects.read(meta, start, end), response);
}

async function headObject(context: Context): Promise<void> {
  const meta = existing(context, context.key);
  context.response.writeHead(200, { ...describe(context, meta), 'content-length': meta.sizeBytes }).end();
}

async function deleteObject(context: Context): Promise<void> {
  context.objects.delete(context.key);
  context.response.writeHead(204).end();
}

async function deleteObjects(context: Context): Promise<void> {
  const { request, response, objects } = context;
  if (header(request, 'content-md5') === undefined && header(request, 'x-amz-checksum-crc32') === undefined && header(request, 'x-amz-checksum-sha256') === undefined) {
    throw new S3Fault(400, 'InvalidRequest', 'Missing required header for this request: Content-MD5 or a checksum.');
  }
  const xml = objects.contentOf(await objects.receive(request, context.verified.payloadHash)).toString('utf8');
  const keys = [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => unescapeXml(match[1] ?? ''));
  if (keys.length > 1000) throw new S3Fault(400, 'MalformedXML', 'Too many keys.');
  for (const key of keys) objects.delete(key);
  sendXml(response, 200, '<DeleteResult></DeleteResult>');
}

async function listObjects(context: Context): Promise<void> {
  const { query, response, objects, bucket } = context;
  const prefix = query.get('prefix') ?? '';
  const limit = Math.min(Number(query.get('max-keys') ?? 1000), 1000);
  const found = objects.list(prefix, query.get('continuation-token') ?? query.get('start-after') ?? '');
  const page = found.slice(0, limit);
  const truncated = found.length > limit;
  const contents = page.map((meta) =>
    `<Contents><Key>${escapeXml(meta.key)}</Key><LastModified>${new Date(meta.modifiedAtMs).toISOString()}</LastModified><ETag>&quot;${meta.etag}&quot;</ETag><Size>${meta.sizeBytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`).join('');
  sendXml(response, 200, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><Prefix>${escapeXml(prefix)}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>${limit}</MaxKeys><IsTruncated>${truncated}</IsTruncated>${truncated ? `<NextContinuationToken>${escapeXml(page.at(-1)?.key ?? '')}</NextContinuationToken>` : ''}${contents}</ListBucketResult>`);
}

const operations: Readonly<Record<string, (context: Context) => Promise<void>>> = {
  PutObject: putObject, CopyObject: copyObject, GetObject: getObject, HeadObject: headObject,
  DeleteObject: deleteObject, DeleteObjects: deleteObjects, ListObjectsV2: listObjects,
};

function nameOperation(request: IncomingMessage, key: string, query: ReadonlyMap<string, string>): string {
  if (key === '') {
    if (request.method === 'GET' && query.get('list-type') === '2') return 'ListObjectsV2';
    if (request.method === 'POST' && query.has('delete')) return 'DeleteObjects';
    return 'unknown';
  }
  switch (request.method) {
    case 'PUT': return request.headers['x-amz-copy-source'] === undefined ? 'PutObject' : 'CopyObject';
    case 'GET': return 'GetObject';
    case 'HEAD': return 'HeadObject';
    case 'DELETE': return 'DeleteObject';
    default: return 'unknown';
  }
}

/** Verifies and runs one request. @throws S3Fault */
async function run(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const target = request.url ?? '/';
  const [, bucket = '', ...rest] = decodePath(target).split('/');
  const key = rest.join('/');
  const query = new Map(parseQuery(target));
  const name = nameOperation(request, key, query);
  if (strike(served.faults.meet(name), response)) return;
  const headers = Object.fromEntries(Object.keys(request.headers).map((each) => [each, header(request, each)]));
  const verified = verifySignature({ method: request.method ?? '', target, headers }, served.credentials, served.now());
  if (bucket !== served.bucket) throw new S3Fault(404, 'NoSuchBucket', 'The specified bucket does not exist.');
  const operation = operations[name];
  if (operation === undefined) throw new S3Fault(501, 'NotImplemented', 'This operation is not spoken here.');
  await operation({ ...served, request, response, key, query, verified });
}

export async function serve(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await run(served, request, response);
  } catch (error) {
    const fault = error instanceof S3Fault ? error : new S3Fault(500, 'InternalError', String(error));
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    request.resume();
    if (request.method === 'HEAD') response.writeHead(fault.status).end();
    else sendXml(response, fault.status, `<Error><Code>${fault.code}</Code><Message>${escapeXml(fault.message)}</Message></Error>`);
  }
}
