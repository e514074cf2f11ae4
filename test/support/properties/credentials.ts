/** Credentials made without the backend's help: signatures of workers and API keys. */
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { System } from '../system.ts';

export interface Node { readonly id: string; readonly key: string | Buffer }

/** A signature is taken once and within five minutes: a request sent again is dated a second earlier each time. */
const used = new Set<string>();

/** The headers by which a worker signs method, path, node id, time and body. */
export function signatureOf(node: Node, method: string, path: string, body: string | Uint8Array): Record<string, string> {
  const hash = createHash('sha256').update(body).digest('hex');
  const [plain = ''] = path.split('?', 1);
  for (let seconds = Math.floor(Date.now() / 1000); ; seconds -= 1) {
    const signature = createHmac('sha256', node.key).update(`${method}\n${plain}\n${node.id}\n${seconds}\n${hash}`).digest('hex');
    if (used.has(signature)) continue;
    used.add(signature);
    return { 'x-hivesync-node': node.id, 'x-hivesync-timestamp': String(seconds), 'x-hivesync-signature': `v1=${signature}` };
  }
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function apiKeyText(): string {
  const random = [...createHash('sha256').update(randomUUID()).digest()].slice(0, 30).map((byte) => alphabet[byte % 62]).join('');
  let [rest, digits] = [crc32(random), ''];
  for (let at = 0; at < 6; at += 1) [digits, rest] = [`${alphabet[rest % 62] ?? ''}${digits}`, Math.floor(rest / 62)];
  return `hsk_${random}${digits}`;
}

/** An API key of a person, written to the database as createApiKey writes it. */
export async function apiKeyFor(system: System, userId: string, scopes: readonly string[], projectIds: readonly string[] | null): Promise<string> {
  const key = apiKeyText();
  await system.sql(
    'insert into api_keys (id, user_id, name, hashed_key, prefix, last_four, scopes, project_ids) values ($1, $2, $3, $4, $5, $6, $7, $8)',
    [randomUUID(), userId, 'made for a test', createHash('sha256').update(key).digest(), key.slice(0, 8), key.slice(-4), scopes, projectIds],
  );
  return key;
}

