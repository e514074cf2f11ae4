/**
 * AWS Signature Version 4 for S3, the verifying side, written from AWS's description and held to its published
 * examples (test/unit/storage/signature-v4.test.ts). It shares nothing with the SDK whose signatures it judges.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  /** Path and query as they came over the wire. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

/** An S3 error answer. */
export class S3Fault extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Verified {
  /** `UNSIGNED-PAYLOAD` or the SHA-256 in hex that the body must have. */
  readonly payloadHash: string;
  readonly presigned: boolean;
}

const emptyQuery: readonly (readonly [string, string])[] = [];

const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

export function parseQuery(target: string): readonly (readonly [string, string])[] {
  const mark = target.indexOf('?');
  if (mark < 0 || mark === target.length - 1) return emptyQuery;
  return target.slice(mark + 1).split('&').map((pair) => {
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    return [decodeURIComponent(name), decodeURIComponent(value)] as const;
  });
}

export const decodePath = (target: string): string => decodeURIComponent(target.split('?')[0] ?? '');

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[], payloadHash: string): string {
  const path = decodePath(request.target).split('/').map(encode).join('/');
  const query = parseQuery(request.target)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const headers = signedHeaders.map((name) => {
    const value = request.headers[name];
    if (value === undefined) throw new S3Fault(403, 'SignatureDoesNotMatch', `The signed header ${name} is missing.`);
    return `${name}:${value.trim().replaceAll(/ +/g, ' ')}\n`;
  }).join('');
  return [request.method, path, query, headers, signedHeaders.join(';'), payloadHash].join('\n');
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

function expectedSignature(request: SignedRequest, scope: Scope, signedHeaders: readonly string[], payloadHash: string, secretKey: string): string {
  const canonical = canonicalRequest(request, signedHeaders, payloadHash);
  const text = [
    'AWS4-HMAC-SHA256', scope.date, `${scope.day}/${scope.region}/s3/aws4_request`,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  const key = hmac(hmac(hmac(hmac(`AWS4${secretKey}`, scope.day), scope.region), 's3'), 'aws4_request');
  return createHmac('sha256', key).update(text).digest('hex');
}

interface Scope { readonly date: string; readonly day: string; readonly region: string }

function checkScope(credential: string, date: string, credentials: Credentials): Scope {
  const parts = credential.split('/');
  const [accessKey = '', day = '', region = '', service = '', end = ''] = parts;
  if (parts.length !== 5 || service !== 's3' || end !== 'aws4_request') throw new S3Fault(400, 'AuthorizationQueryParametersError', 'The credential is malformed.');
  if (accessKey !== credentials.accessKey) throw new S3Fault(403, 'InvalidAccessKeyId', 'The access key is not known.');
  if (region !== credentials.region) throw new S3Fault(400, 'AuthorizationHeaderMalformed', 'The region is wrong.');
  if (!/^\d{8}T\d{6}Z$/.test(date) || !date.startsWith(day)) throw new S3Fault(403, 'AccessDenied', 'The date is malformed or not that of the scope.');
  return { date, day, region };
}

export function parseDate(date: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** `host` and every `x-amz-*` header sent must be signed, as S3 demands. */
function checkSignedHeaders(request: SignedRequest, signedHeaders: readonly string[]): void {
  const unsigned = Object.keys(request.headers)
    .filter((name) => name === 'host' || name.startsWith('x-amz-'))
    .filter((name) => !signedHeaders.includes(name));
  if (unsigned.length > 0) throw new S3Fault(403, 'AccessDenied', `There were headers present in the request which were not signed: ${unsigned.join(', ')}`);
  if (signedHeaders.join() !== [...signedHeaders].sort(compare).join()) throw new S3Fault(403, 'SignatureDoesNotMatch', 'The signed headers are not sorted.');
}

function checkSignature(expected: string, given: string): void {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw new S3Fault(403, 'SignatureDoesNotMatch', 'The request signature does not match the signature you provided.');
}

function verifyQuery(request: SignedRequest, query: ReadonlyMap<string, string>, credentials: Credentials, nowMs: number): Verified {
  const need = (name: string): string => {
    const value = query.get(name);
    if (value === undefined) throw new S3Fault(400, 'AuthorizationQueryParametersError', `${name} is missing.`);
    return value;
  };
  if (need('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') throw new S3Fault(400, 'AuthorizationQueryParametersError', 'The algorithm is not known.');
  const scope = checkScope(need('X-Amz-Credential'), need('X-Amz-Date'), credentials);
  const expires = Number(need('X-Amz-Expires'));
  if (!Number.isInteger(expires) || expires < 1 || expires > 604_800) throw new S3Fault(400, 'AuthorizationQueryParametersError', 'X-Amz-Expires is out of bounds.');
  const signedHeaders = need('X-Amz-SignedHeaders').split(';');
  const payloadHash = query.get('X-Amz-Content-Sha256') ?? request.headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD';
  checkSignedHeaders(request, signedHeaders);
  checkSignature(expectedSignature(request, scope, signedHeaders, payloadHash, credentials.secretKey), need('X-Amz-Signature'));
  const signedAt = parseDate(scope.date);
  if (nowMs > signedAt + expires * 1000) throw new S3Fault(403, 'AccessDenied', 'Request has expired');
  if (nowMs < signedAt - 900_000) throw new S3Fault(403, 'AccessDenied', 'Request is not valid yet');
  return { payloadHash, presigned: true };
}

function verifyHeader(request: SignedRequest, authorization: string, credentials: Credentials, nowMs: number): Verified {
  const match = /^AWS4-HMAC-SHA256 Credential=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/.exec(authorization);
  if (match === null) throw new S3Fault(400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed.');
  const [, credential = '', names = '', signature = ''] = match;
  const scope = checkScope(credential, request.headers['x-amz-date'] ?? '', credentials);
  if (Math.abs(nowMs - parseDate(scope.date)) > 900_000) throw new S3Fault(403, 'RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.');
  const payloadHash = request.headers['x-amz-content-sha256'];
  if (payloadHash === undefined) throw new S3Fault(400, 'MissingSecurityHeader', 'x-amz-content-sha256 is missing.');
  const signedHeaders = names.split(';');
  checkSignedHeaders(request, signedHeaders);
  checkSignature(expectedSignature(request, scope, signedHeaders, payloadHash, credentials.secretKey), signature);
  return { payloadHash, presigned: false };
}

/** @throws S3Fault with the answer S3 gives */
export function verifySignature(request: SignedRequest, credentials: Credentials, nowMs: number): Verified {
  const query = new Map(parseQuery(request.target));
  const authorization = request.headers['authorization'];
  if (authorization !== undefined && query.has('X-Amz-Signature')) throw new S3Fault(400, 'InvalidArgument', 'Only one auth mechanism allowed.');
  if (authorization !== undefined) return verifyHeader(request, authorization, credentials, nowMs);
  if (query.has('X-Amz-Signature') || query.has('X-Amz-Credential')) return verifyQuery(request, query, credentials, nowMs);
  throw new S3Fault(403, 'AccessDenied', 'Access Denied');
}
