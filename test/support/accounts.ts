/** People with a password, an address and tokens, made over the wire; and the mails they get. */
import { newId } from '#platform/ids.ts';
import type { Backend, Reply } from './backend.ts';
import type { SentMail } from './mails.ts';

export const password = 'forty bees in a garden';

export interface Account {
  readonly username: string;
  readonly email: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly refreshToken: string;
  readonly headers: { readonly authorization: string };
}

/** `204 ok`, `401 AUTH_INVALID`. */
export const outcome = ({ status, error }: Reply): string => `${status} ${error?.code ?? 'ok'}`;

/** How many answers came to what. */
export function outcomes(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of replies.map(outcome)) counts[one] = (counts[one] ?? 0) + 1;
  return counts;
}

export const bearer = (token: unknown): { authorization: string } => ({ authorization: `Bearer ${String(token)}` });

export async function register(backend: Backend): Promise<Account> {
  const username = `ada${newId().slice(-10)}`;
  const email = `${username}@example.com`;
  const reply = await backend.http('POST', '/auth/register', { json: { email, username, password } });
  if (reply.status !== 201) throw new Error(`Nobody was registered: ${reply.text}`);
  const { access_token: token, refresh_token: refreshToken, session_id: sessionId, user } = reply.data as {
    access_token: string; refresh_token: string; session_id: string; user: { id: string };
  };
  return { username, email, userId: user.id, sessionId, refreshToken, headers: bearer(token) };
}

export const login = (backend: Backend, { email }: Pick<Account, 'email'>, word = password, more: Readonly<Record<string, unknown>> = {}): Promise<Reply> =>
  backend.http('POST', '/auth/login', { json: { email, password: word, ...more } });

/** The last mail to an address whose subject matches, once the due jobs have run. */
export async function lastMail(backend: Backend, to: string, about: RegExp): Promise<SentMail> {
  const mail = (await backend.mails(to)).findLast(({ subject }) => about.test(subject));
  if (mail === undefined) throw new Error(`There is no mail to ${to} about ${about.source}.`);
  return mail;
}

/** The token behind the `#` of a mail's link. */
export function tokenIn({ action }: SentMail): string {
  const token = /#token=([A-Za-z0-9_-]{43})$/.exec(action ?? '')?.[1];
  if (token === undefined) throw new Error(`There is no token in ${String(action)}.`);
  return token;
}
