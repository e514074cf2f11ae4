/** A real SMTP server to send to, which answers as a test says and keeps what it accepted. */
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  readonly html: string;
}

/** An SMTP answer other than yes. */
export interface Refusal {
  readonly code: number;
  readonly words: string;
}

export interface SmtpPeer {
  readonly port: number;
  /** What was accepted, in its order. */
  readonly received: ReceivedMail[];
  /** How many connections were opened so far. */
  readonly connections: number;
  /** Asked at each stage of each mail; a refusal is answered, a promise that never resolves is a server that hangs. */
  on: {
    recipient?: ((address: string) => Refusal | null | Promise<null>) | undefined;
    content?: (() => Refusal | null | Promise<Refusal | null>) | undefined;
    signIn?: ((user: string) => Refusal | null) | undefined;
  };
  close(): Promise<void>;
}

const errorOf = (refusal: Refusal | null): Error | null => (refusal === null ? null : Object.assign(new Error(refusal.words), { responseCode: refusal.code }));

/** Starts one on the loopback. */
export async function startSmtpPeer(options: SMTPServerOptions = {}): Promise<SmtpPeer> {
  let connections = 0;
  const received: ReceivedMail[] = [];
  const peer: SmtpPeer = {
    received,
    on: {},
    get port() {
      const address = server.server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    },
    get connections() {
      return connections;
    },
    close: () => new Promise((resolve) => { server.close(() => resolve()); }),
  };
  const server = new SMTPServer({
    authOptional: true, disabledCommands: ['STARTTLS'], disableReverseLookup: true, closeTimeout: 50, ...options,
    onConnect: (_session, done) => { connections += 1; done(); },
    onAuth: ({ username = '' }, _session, done) => {
      const refusal = errorOf(peer.on.signIn?.(username) ?? null);
      if (refusal === null) done(null, { user: username });
      else done(refusal);
    },
    onRcptTo: ({ address }, _session, done) => {
      void Promise.resolve(peer.on.recipient?.(address) ?? null).then((refusal) => done(errorOf(refusal)));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        void Promise.resolve(peer.on.content?.() ?? null).then((refusal) => {
          const { mailFrom, rcptTo } = session.envelope;
          if (refusal === null) received.push({ from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address), ...partsOf(Buffer.concat(chunks).toString('utf8')) });
          done(errorOf(refusal));
        });
      });
    },
  });
  // What a client does to its connection is no failure of the peer.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => { server.listen(0, '0.0.0.0', () => resolve()); });
  return peer;
}

/** The headers of a mail, unfolded, and its two bodies, decoded. */
function partsOf(raw: string): Pick<ReceivedMail, 'headers' | 'text' | 'html'> {
  const { headers, body } = split(raw);
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1] ?? '';
  const bodies = new Map(body.split(`--${boundary}`).slice(1, -1).map((part) => {
    const inner = split(part.replace(/^\r\n/, ''));
    return [inner.headers.get('content-type')?.split(';')[0] ?? '', decode(inner.body.replace(/\r\n$/, ''), inner.headers.get('content-transfer-encoding') ?? '7bit')];
  }));
  return { headers, text: bodies.get('text/plain') ?? '', html: bodies.get('text/html') ?? '' };
}

function split(raw: string): { headers: Map<string, string>; body: string } {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw.slice(0, end).replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return { headers: new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)])), body: raw.slice(end + 4) };
}

function decode(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding !== 'quoted-printable') return body.replace(/\r\n/g, '\n');
  const bytes = body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8').replace(/\r\n/g, '\n');
}
