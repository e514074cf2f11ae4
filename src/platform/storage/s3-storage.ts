/** Object storage in any S3-compatible store (Cloudflare R2 first), path style. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CopyObjectCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand,
  ListObjectsV2Command, PutObjectCommand, S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { boundedStream } from './flow.ts';
import { roundTrip } from './health-check.ts';
import { takeIn } from './intake.ts';
import { attachment, checkContent, checkExpiry, checkFolder, checkKey, checkLimit, checkPrefix, encodeKey } from './object-key.ts';
import { isPassing, translateS3 } from './s3-errors.ts';
import { spool } from './spool.ts';
import { StorageError, type CopyAs, type ObjectHead, type ObjectStorage } from './storage.ts';

export interface S3StorageSettings {
  /** R2_ENDPOINT: `https://<account>.r2.cloudflarestorage.com`, or any other store's. */
  readonly endpoint: string;
  /** Where clients reach the store, if they do so by another address than this process; signed URLs carry it. */
  readonly publicEndpoint?: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** R2 calls its only region `auto`. */
  readonly region: string;
  /** Deadline of one attempt at a call without a body to send, and the longest silence of a stream. */
  readonly timeoutMs: number;
  /** Deadline of storing one body over all attempts, taking it in included. */
  readonly transferTimeoutMs: number;
  /** Where bodies over 1 MiB wait to be sent; the system's folder for such things when absent. */
  readonly spoolDir?: string;
  /** The pause before the first repeat; the next is four times as long. Default 100. */
  readonly firstPauseMs?: number;
}

/** With pauses of about 0.1 and 0.4 s: enough for a dropped connection, short enough for a request that waits. */
const attempts = 3;
const firstPauseMs = 100;

const hexToBase64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
const base64ToHex = (text: string): string => Buffer.from(text, 'base64').toString('hex');

const quiet = (): void => undefined;

function createClient(settings: S3StorageSettings, endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: settings.region,
    forcePathStyle: true,
    credentials: { accessKeyId: settings.accessKey, secretAccessKey: settings.secretKey },
    // The SDK would add a CRC32 to every upload and sign it into presigned URLs, which no client could then use.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Repeats are ours: the SDK's cannot rewind a stream, and know no deadline over all attempts.
    maxAttempts: 1,
    // It would warn on the console that it cannot repeat streams, which it is not meant to; failures reach the caller.
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    requestHandler: { connectionTimeout: Math.min(settings.timeoutMs, 5_000) },
  });
}

/** Opens the store; says nothing about whether it answers (`check` does). */
export function openS3Storage(settings: S3StorageSettings): ObjectStorage {
  const { bucket, timeoutMs } = settings;
  const client = createClient(settings, settings.endpoint);
  const signing = settings.publicEndpoint === undefined ? client : createClient(settings, settings.publicEndpoint);
  const checkedKey = `health/${randomUUID()}`;
  let running: Promise<void> | null = null;

  /** Runs one call: each attempt with its deadline, repeated while the failure may pass. */
  const call = async <T>(what: string, send: (abortSignal: AbortSignal) => Promise<T>, deadlineMs = timeoutMs, outer?: AbortSignal): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      const late = AbortSignal.timeout(deadlineMs);
      try {
        return await send(outer === undefined ? late : AbortSignal.any([late, outer]));
      } catch (error) {
        // A store that hung through a whole deadline is not asked again: the caller has waited long enough.
        if (attempt === attempts || late.aborted || outer?.aborted === true || !isPassing(error)) throw translateS3(what, error);
        await delay((settings.firstPauseMs ?? firstPauseMs) * 4 ** (attempt - 1) * (0.75 + Math.random() / 2));
      }
    }
  };
  const look = async (key: string): Promise<ObjectHead> => {
    const found = await call(`looking at ${key}`, async (abortSignal) =>
      await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }), { abortSignal }));
    return {
      sizeBytes: found.ContentLength ?? 0,
      contentType: found.ContentType ?? 'application/octet-stream',
      contentEncoding: found.ContentEncoding ?? null,
      etag: (found.ETag ?? '').replaceAll('"', ''),
      sha256: found.ChecksumSHA256 === undefined ? null : base64ToHex(found.ChecksumSHA256),
      modifiedAtMs: found.LastModified?.getTime() ?? 0,
    };
  };
  const copy = async (from: string, to: string, as?: CopyAs): Promise<void> => {
    checkKey(from);
    checkKey(to);
    if (as !== undefined) checkContent(as);
    const etag = as?.sha256 === undefined ? null : await etagOf(from, as.sizeBytes, as.sha256);
    await call(`copying ${from}`, async (abortSignal) =>
      await client.send(new CopyObjectCommand({
        Bucket: bucket,
        Key: to,
        CopySource: `${encodeURIComponent(bucket)}/${encodeKey(from)}`,
        // What was replaced since it was looked at is not copied.
        ...(etag === null ? {} : { CopySourceIfMatch: `"${etag}"` }),
        ...(as === undefined ? {} : { MetadataDirective: 'REPLACE', ContentType: as.contentType, ContentEncoding: as.contentEncoding }),
      }), { abortSignal }));
  };
  /** Of an object that the store knows to have this size and hash. */
  const etagOf = async (key: string, sizeBytes: number, sha256: string): Promise<string> => {
    const head = await look(key);
    if (head.sizeBytes !== sizeBytes || head.sha256 !== sha256) throw new StorageError('checksum_mismatch', `object ${key} is not known to have the content that the copy is to have`);
    return head.etag;
  };
  const remove = async (key: string): Promise<void> => {
    checkKey(key);
    await call(`deleting ${key}`, async (abortSignal) =>
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal }));
  };
  const removeAll = async (keys: readonly string[]): Promise<void> => {
    const answer = await call(`deleting ${keys.length} objects`, async (abortSignal) =>
      await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) } }), { abortSignal }));
    const failed = answer.Errors ?? [];
    if (failed.length > 0) throw new StorageError('unavailable', `the store kept ${failed.length} objects: ${failed[0]?.Code ?? 'no reason given'}`);
  };

  const storage: ObjectStorage = {
    async put(key, body, options) {
      checkKey(key);
      checkContent(options);
      const late = AbortSignal.timeout(settings.transferTimeoutMs);
      const signal = options.signal === undefined ? late : AbortSignal.any([late, options.signal]);
      try {
        const content = await spool(takeIn(body, { ...options, signal }, timeoutMs), settings.spoolDir ?? tmpdir());
        try {
          const stored = await call(`storing ${key}`, async (abortSignal) =>
            await client.send(new PutObjectCommand({
              Bucket: bucket,
              Key: key,
              Body: content.open(),
              ContentLength: content.sizeBytes,
              ChecksumSHA256: hexToBase64(content.sha256),
              ContentType: options.contentType,
              ContentEncoding: options.contentEncoding,
            }), { abortSignal }), settings.transferTimeoutMs, signal);
          return { sizeBytes: content.sizeBytes, sha256: content.sha256, etag: (stored.ETag ?? '').replaceAll('"', '') };
        } finally {
          await content.discard();
        }
      } catch (error) {
        if (!Buffer.isBuffer(body)) body.destroy();
        throw translateS3(`storing ${key}`, error);
      }
    },

    async get(key, options = {}) {
      checkKey(key);
      const { range } = options;
      if (range !== undefined && !(Number.isSafeInteger(range.start) && range.start >= 0 && (range.end ?? range.start) >= range.start)) {
        throw new StorageError('bad_range', 'a range begins at a byte and ends at it or behind');
      }
      // Ends the transfer when its reader stops: the attempt's own signal has done its work once the headers are here.
      const reader = new AbortController();
      const found = await call(`reading ${key}`, async (abortSignal) => {
        const abort = (): void => reader.abort();
        abortSignal.addEventListener('abort', abort, { once: true });
        try {
          return await client.send(new GetObjectCommand({
            Bucket: bucket,
            Key: key,
            ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end ?? ''}` }),
          }), { abortSignal: reader.signal });
        } finally {
          abortSignal.removeEventListener('abort', abort);
        }
      }, timeoutMs, options.signal);
      const source = found.Body;
      if (!(source instanceof Readable)) throw new StorageError('unavailable', `reading ${key}: the store sent no body`);
      const sizeBytes = found.ContentLength ?? 0;
      const total = /\/(\d+)$/.exec(found.ContentRange ?? '')?.[1];
      const stream = boundedStream(source, { idleMs: timeoutMs, expectedBytes: sizeBytes, what: `reading ${key}` });
      options.signal?.addEventListener('abort', () => stream.destroy(new StorageError('unavailable', 'the transfer was broken off')), { once: true });
      return {
        stream,
        sizeBytes,
        totalBytes: total === undefined ? sizeBytes : Number(total),
        contentType: found.ContentType ?? 'application/octet-stream',
        contentEncoding: found.ContentEncoding ?? null,
        etag: (found.ETag ?? '').replaceAll('"', ''),
        modifiedAtMs: found.LastModified?.getTime() ?? 0,
      };
    },

    async head(key) {
      checkKey(key);
      return await look(key);
    },

    copy,

    async move(from, to) {
      checkKey(from);
      checkKey(to);
      if (from === to) return void (await look(from));
      try {
        await copy(from, to);
      } catch (error) {
        if (!(error instanceof StorageError && error.kind === 'not_found')) throw error;
        // Done before: the copy is there and the original gone. Otherwise this says not_found.
        await look(to);
      }
      await remove(from);
    },

    delete: remove,

    async deletePrefix(prefix, options = {}) {
      checkFolder(prefix);
      const maxObjects = options.maxObjects ?? 10_000;
      let deleted = 0;
      while (deleted < maxObjects) {
        const limit = Math.min(1000, maxObjects - deleted);
        const page = await storage.list(prefix, { limit });
        if (page.objects.length > 0) await removeAll(page.objects.map((object) => object.key));
        deleted += page.objects.length;
        if (page.next === null) return { deleted, done: true };
      }
      return { deleted, done: false };
    },

    async list(prefix, options = {}) {
      checkPrefix(prefix);
      const limit = checkLimit(options.limit ?? 1000);
      const page = await call(`listing ${prefix}`, async (abortSignal) =>
        await client.send(new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          MaxKeys: limit,
          ...(options.after === undefined ? {} : { StartAfter: options.after }),
        }), { abortSignal }));
      const objects = (page.Contents ?? []).flatMap((object) => object.Key === undefined
        ? []
        : [{ key: object.Key, sizeBytes: object.Size ?? 0, modifiedAtMs: object.LastModified?.getTime() ?? 0 }]);
      return { objects, next: page.IsTruncated === true ? (objects.at(-1)?.key ?? null) : null };
    },

    async presignGet(key, options) {
      checkKey(key);
      checkExpiry(options.expiresSeconds);
      checkContent(options.contentType === undefined ? {} : { contentType: options.contentType });
      return await getSignedUrl(signing, new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(options.downloadName === undefined ? {} : { ResponseContentDisposition: attachment(options.downloadName) }),
        ...(options.contentType === undefined ? {} : { ResponseContentType: options.contentType }),
      }), { expiresIn: options.expiresSeconds });
    },

    async presignPut(key, options) {
      checkKey(key);
      checkExpiry(options.expiresSeconds);
      checkContent(options);
      const checksum = options.sha256 === undefined ? null : hexToBase64(options.sha256);
      const url = await getSignedUrl(signing, new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        ContentLength: options.sizeBytes,
        ContentType: options.contentType,
        ContentEncoding: options.contentEncoding,
        ...(checksum === null ? {} : { ChecksumSHA256: checksum }),
      }), {
        expiresIn: options.expiresSeconds,
        // The presigner leaves content-type unsigned unless it is named here, and moves x-amz-* headers to the query,
        // where a store need not hold the body against them: all four must be headers, and signed ones.
        signableHeaders: new Set(['host', 'content-length', 'content-type', 'content-encoding', 'x-amz-checksum-sha256']),
        unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
      });
      return {
        url,
        headers: {
          'content-type': options.contentType,
          ...(options.contentEncoding === undefined ? {} : { 'content-encoding': options.contentEncoding }),
          ...(checksum === null ? {} : { 'x-amz-checksum-sha256': checksum }),
        },
      };
    },

    async check() {
      running ??= roundTrip(storage, checkedKey).finally(() => {
        running = null;
      });
      await running;
    },

    close() {
      client.destroy();
      if (signing !== client) signing.destroy();
    },
  };
  return storage;
}
