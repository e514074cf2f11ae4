/** How a manifest of the Expo Updates protocol, version 1, is written: which form a client takes, its parts, its signature. Pure. */
import { createPrivateKey, type KeyObject, randomBytes, sign } from 'node:crypto';

export type ManifestForm = 'multipart/mixed' | 'application/expo+json';
const forms: readonly ManifestForm[] = ['multipart/mixed', 'application/expo+json'];

/** Signs manifests for clients that ask for it. */
export interface ManifestKey {
  readonly keyId: string;
  readonly key: KeyObject;
}

/** @throws where the text is no RSA private key; the error does not hold it */
export function readManifestKey(pem: string, keyId: string): ManifestKey {
  let key: KeyObject;
  try {
    // A variable of one line writes its line feeds as two characters.
    key = createPrivateKey(pem.replaceAll('\\n', '\n'));
  } catch {
    throw new Error('PREVIEW_SIGNING_KEY is no private key in PEM form.');
  }
  if (key.asymmetricKeyType !== 'rsa') throw new Error('PREVIEW_SIGNING_KEY is no RSA key: the protocol knows no other.');
  return { keyId, key };
}

/** The form that an Accept header likes best, multipart where it does not care; null where it takes neither. */
export function formFor(accept: string | undefined): ManifestForm | null {
  if (accept === undefined || accept.trim() === '') return forms[0] ?? null;
  const ranges = accept.split(',').map((part) => {
    const [range = '', ...parameters] = part.split(';').map((one) => one.trim().toLowerCase());
    const quality = Number(/^q=(.*)$/.exec(parameters.find((one) => one.startsWith('q=')) ?? '')?.[1] ?? 1);
    return { range, quality: Number.isFinite(quality) ? quality : 0 };
  });
  const likingOf = (form: ManifestForm): number => {
    const fitting = [form, `${form.split('/')[0] ?? ''}/*`, '*/*'].map((range) => ranges.find((one) => one.range === range)).find((one) => one !== undefined);
    return fitting?.quality ?? 0;
  };
  const [best] = forms.filter((form) => likingOf(form) > 0).sort((a, b) => likingOf(b) - likingOf(a));
  return best ?? null;
}

/** `sig` is a string and not a byte sequence: what Expo's clients read. */
export function signatureOf(body: Buffer, { keyId, key }: ManifestKey): string {
  return `sig="${sign('RSA-SHA256', body, key).toString('base64')}", keyid="${keyId}", alg="rsa-v1_5-sha256"`;
}

/**
 * The key to sign with for who sends this `expo-expect-signature`: none where it does not ask, or trusts another key by name. Expo
 * Go does: it takes what is not signed, and refuses what is signed by somebody else.
 */
export function keyFor(expected: string | undefined, key: ManifestKey | null): ManifestKey | null {
  const named = /(?:^|[,;\s])keyid="([^"]*)"/.exec(expected ?? '')?.[1];
  return expected === undefined || (named !== undefined && named !== key?.keyId) ? null : key;
}

export interface WrittenManifest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The whole answer. A signature stands on the part of a multipart answer, else on the answer; it is over the manifest's exact bytes. */
export function writeManifest(manifest: object, form: ManifestForm, key: ManifestKey | null): WrittenManifest {
  const text = Buffer.from(JSON.stringify(manifest), 'utf8');
  const signature = key === null ? {} : { 'expo-signature': signatureOf(text, key) };
  const shared = {
    'expo-protocol-version': '1',
    'expo-sfv-version': '0',
    // Structured dictionaries: nothing to filter by, nothing for the client to send back.
    'expo-manifest-filters': '',
    'expo-server-defined-headers': '',
    'Cache-Control': 'private, max-age=0, no-store',
  };
  if (form === 'application/expo+json') {
    return { headers: { ...shared, ...signature, 'Content-Type': form, 'Content-Length': String(text.length) }, body: text };
  }
  const boundary = `hivesync-${randomBytes(16).toString('hex')}`;
  const head = { 'content-disposition': 'form-data; name="manifest"', 'content-type': 'application/json; charset=utf-8', ...signature };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const body = Buffer.concat([Buffer.from(`--${boundary}\r\n${lines}\r\n`), text, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { headers: { ...shared, 'Content-Type': `${form}; boundary=${boundary}`, 'Content-Length': String(body.length) }, body };
}

/** SHA-256 as clients of the protocol want it: base64url without padding. */
export const hashOf = (sha256Hex: string): string => Buffer.from(sha256Hex, 'hex').toString('base64url');
