import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import type { SMTPServerOptions } from 'smtp-server';
import { Secret } from '#config/environment.ts';
import { mailKind, sendMail, type MailTemplate } from '#jobs/mail-job.ts';
import { Reconciler } from '#jobs/reconciler.ts';
import { claimSystemJob } from '#jobs/system-life.ts';
import { SystemRunner } from '#jobs/system-runner.ts';
import { DeadlineError } from '#platform/deadline.ts';
import { newId } from '#platform/ids.ts';
import { layOut, type MailContent } from '#platform/mail/layout.ts';
import { MailRefused, type Mail, type Mailer } from '#platform/mail/mailer.ts';
import { openMailer } from '#platform/mail/open-mailer.ts';
import { openResendMailer } from '#platform/mail/resend.ts';
import { openSmtpMailer, type SmtpBounds } from '#platform/mail/smtp.ts';
import { useBackend } from '../../support/backend.ts';
import { mailsIn } from '../../support/mails.ts';
import { testEnvironment, testFolder } from '../../support/services.ts';
import { startSmtpPeer, type SmtpPeer } from '../../support/smtp-peer.ts';

const from = 'HiveSync <no-reply@hive.example.com>';
const content: MailContent = {
  subject: 'Bestätige deine Adresse ✓', title: 'Nearly there', paragraphs: ['Hello Ädä,', 'please confirm.'],
  action: { label: 'Confirm', url: 'https://hive.example.com/verify#a-secret-of-the-link' }, footer: 'If you did not ask for this, do nothing.',
};
const mailTo = (to = 'ada@example.com', id = newId()): Mail => ({ id, to, ...layOut(content) });
const { signal } = new AbortController();
/** What a send fails with; fails itself where it does not. */
const failureOf = (sending: Promise<void>): Promise<Error> => sending.then(() => { throw new Error('It was sent.'); }, (error: unknown) => error as Error);

describe('mail', () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => { for (const end of ends.splice(0).reverse()) await end(); });
  const opened = <M extends Mailer>(mailer: M): M => { ends.push(() => mailer.close()); return mailer; };

  describe('written for the console', () => {
    const open = async (nodeEnv: 'development' | 'test') => {
      const dataDir = mkdtempSync(join(testFolder(), 'mail-'));
      const told: string[] = [];
      const logged: string[] = [];
      const note = (_type: string, _message: string, metadata?: unknown): void => { logged.push(JSON.stringify(metadata)); };
      const log = { info: note, warn: note, error: note, debug: note } as unknown as Parameters<typeof openMailer>[1];
      const env = { ...await testEnvironment({ EMAIL_FROM: from }), dataDir, nodeEnv };
      return { dataDir, told, logged, mailer: openMailer(env, log, (line) => told.push(line)) };
    };

    it('is a file for programs and one for a browser, which nobody else can read; a repeat is the same files', async () => {
      const { dataDir, mailer } = await open('test');
      const mail = mailTo();
      await mailer.send(mail, signal);
      await mailer.send(mail, signal);
      await mailer.send(mailTo('bob@example.com'), signal);
      expect(mailsIn(dataDir)).to.have.length(2);
      const [written] = mailsIn(dataDir, 'ada@example.com');
      expect(written).to.include({ ...mail, from });
      const html = join(dataDir, 'mail', `${mail.id}.html`);
      expect(readFileSync(html, 'utf8')).to.equal(mail.html);
      for (const file of [html, html.replace('.html', '.json')]) expect(statSync(file).mode & 0o077).to.equal(0);
    });

    it('is told to a developer with its link, and to nobody outside development', async () => {
      const inDevelopment = await open('development');
      await inDevelopment.mailer.send(mailTo(), signal);
      expect(inDevelopment.told).to.deep.equal(['Mail to ada@example.com: Bestätige deine Adresse ✓  https://hive.example.com/verify#a-secret-of-the-link']);
      const elsewhere = await open('test');
      await elsewhere.mailer.send(mailTo(), signal);
      expect(elsewhere.told).to.deep.equal([]);
      for (const line of [...inDevelopment.logged, ...elsewhere.logged]) expect(line).not.to.match(/secret-of-the-link|confirm/i);
    });

    it('writes nothing outside its folder, whatever it is called', async () => {
      const { dataDir, mailer } = await open('test');
      expect(await failureOf(mailer.send(mailTo('ada@example.com', '../outside'), signal))).to.be.instanceOf(Error);
      expect(existsSync(join(dataDir, 'outside.json'))).to.equal(false);
    });
  });

  describe('by SMTP', () => {
    const bounds: SmtpBounds = { sendMs: 400, connectMs: 300, greetingMs: 300, silenceMs: 300 };
    const peerFor = async (options?: SMTPServerOptions): Promise<SmtpPeer> => {
      const peer = await startSmtpPeer(options);
      ends.push(() => peer.close());
      return peer;
    };
    const smtp = (url: string, within?: SmtpBounds): Mailer => opened(openSmtpMailer({ url: new Secret(url), from, ...(within === undefined ? {} : { bounds: within }) }));
    const to = (peer: SmtpPeer, within?: SmtpBounds): Mailer => smtp(`smtp://127.0.0.1:${peer.port}`, within);

    it('arrives whole: text and HTML, sender, subject, a Message-ID of its own, and a word to answering machines', async () => {
      const peer = await peerFor();
      const mail = mailTo();
      await to(peer).send(mail, signal);
      const [arrived] = peer.received;
      expect(arrived).to.include({ from: 'no-reply@hive.example.com', text: mail.text, html: mail.html });
      expect(arrived?.to).to.deep.equal(['ada@example.com']);
      expect(Object.fromEntries(arrived?.headers ?? [])).to.include({
        from, to: 'ada@example.com', 'message-id': `<${mail.id}@hive.example.com>`, 'auto-submitted': 'auto-generated',
      });
      expect(arrived?.headers.get('subject')).to.match(/^=\?UTF-8\?[QB]\?/);
    });

    it('goes over connections that are kept', async () => {
      const peer = await peerFor();
      const mailer = to(peer);
      for (let n = 0; n < 5; n += 1) await mailer.send(mailTo(), signal);
      expect([peer.received.length, peer.connections]).to.deep.equal([5, 1]);
    });

    it('is refused for good by 5yz, at the address and at the content, and the reason is told without the address', async () => {
      const peer = await peerFor();
      const mailer = to(peer);
      peer.on.recipient = (address) => ({ code: 550, words: `5.1.1 <${address}>: user unknown` });
      const unknown = await failureOf(mailer.send(mailTo(), signal));
      expect(unknown).to.be.instanceOf(MailRefused).and.have.property('message', 'The mail server refused the mail: 550 5.1.1 <(address)>: user unknown');
      peer.on = { content: () => ({ code: 554, words: 'looks like spam' }) };
      expect(await failureOf(mailer.send(mailTo(), signal))).to.be.instanceOf(MailRefused);
      expect(peer.received).to.deep.equal([]);
    });

    it('may be tried again after 4yz', async () => {
      const peer = await peerFor();
      const mailer = to(peer);
      peer.on.recipient = () => ({ code: 451, words: '4.7.1 greylisted' });
      const error = await failureOf(mailer.send(mailTo(), signal));
      expect(error).not.to.be.instanceOf(MailRefused);
      expect(error.message).to.include('451 4.7.1 greylisted');
      peer.on = {};
      await mailer.send(mailTo(), signal);
      expect(peer.received).to.have.length(1);
    });

    it('ends at its deadline on a server that hangs, that says nothing at all, or that is not there', async () => {
      const peer = await peerFor();
      peer.on.content = () => new Promise(() => undefined);
      const hanging = await failureOf(to(peer, bounds).send(mailTo(), signal));
      expect(hanging).not.to.be.instanceOf(MailRefused);
      const mute = createTcpServer((socket) => { socket.on('error', () => undefined); });
      await new Promise<void>((resolve) => { mute.listen(0, '127.0.0.1', resolve); });
      const { port } = mute.address() as AddressInfo;
      ends.push(() => new Promise((resolve) => { mute.close(resolve); }));
      const silent = await failureOf(smtp(`smtp://127.0.0.1:${port}`, bounds).send(mailTo(), signal));
      expect(silent.message).to.match(/Greeting never received|timeout/i);
      const gone = await failureOf(smtp('smtp://127.0.0.1:1', bounds).send(mailTo(), signal));
      expect(gone.message).to.include('ECONNREFUSED');
    });

    it('ends on a server that trickles words so that no silence is ever long enough, and when the job is aborted', async () => {
      const slow = createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.write('220 hello\r\n');
        const timer = setInterval(() => socket.write('250-and so on\r\n'), 20);
        socket.on('close', () => clearInterval(timer));
      });
      await new Promise<void>((resolve) => { slow.listen(0, '127.0.0.1', resolve); });
      ends.push(() => new Promise((resolve) => { slow.close(resolve); }));
      const { port } = slow.address() as AddressInfo;
      const mailer = smtp(`smtp://127.0.0.1:${port}`, bounds);
      expect(await failureOf(mailer.send(mailTo(), signal))).to.be.instanceOf(DeadlineError);
      const ours = new Error('The process is going down.');
      const going = new AbortController();
      const sending = failureOf(mailer.send(mailTo(), going.signal));
      going.abort(ours);
      expect(await sending).to.equal(ours);
      expect(await failureOf(mailer.send(mailTo(), AbortSignal.abort(ours)))).to.equal(ours);
    });

    it('signs in, and does not blame a mail for a password that is wrong; neither is told', async () => {
      const peer = await peerFor({ allowInsecureAuth: true });
      peer.on.signIn = (user) => (user === 'hive' ? null : { code: 535, words: '5.7.8 no' });
      await smtp(`smtp://hive:p%40ss-word-1@127.0.0.1:${peer.port}`).send(mailTo(), signal);
      const error = await failureOf(smtp(`smtp://nobody:p%40ss-word-1@127.0.0.1:${peer.port}`).send(mailTo(), signal));
      expect(error).not.to.be.instanceOf(MailRefused);
      expect(`${error.message}${error.stack}`).to.include('SMTP_URL').and.not.match(/p@ss|p%40ss|nobody/);
      expect(peer.received).to.have.length(1);
    });

    it('sends no password to another machine without TLS', async () => {
      const peer = await peerFor({ allowInsecureAuth: true });
      const users: string[] = [];
      peer.on.signIn = (user) => { users.push(user); return null; };
      // The peer by a name that is not the loopback's.
      const error = await failureOf(smtp(`smtp://hive:password@0.0.0.0:${peer.port}`).send(mailTo(), signal));
      expect(error).not.to.be.instanceOf(MailRefused);
      expect([users, peer.received]).to.deep.equal([[], []]);
    });

    it('speaks TLS from the start with smtps, and to a server it can trust alone', async () => {
      const peer = await peerFor({ secure: true });
      const error = await failureOf(smtp(`smtps://127.0.0.1:${peer.port}`).send(mailTo(), signal));
      expect(error.message).to.match(/certificate/i);
      await smtp(`smtps://127.0.0.1:${peer.port}?tls.rejectUnauthorized=false`).send(mailTo(), signal);
      expect(peer.received).to.have.length(1);
    });

    it('asks nobody where the address or the subject would say more than it should', async () => {
      const peer = await peerFor();
      const mailer = to(peer);
      for (const bad of [{ to: 'ada@example.com\r\nRCPT TO:<mallory@example.com>' }, { to: 'ada@example.com,mallory@example.com' }, { subject: 'Hello\r\nBcc: mallory@example.com' }]) {
        expect(await failureOf(mailer.send({ ...mailTo(), ...bad }, signal))).to.be.instanceOf(MailRefused);
      }
      expect(peer.connections).to.equal(0);
    });
  });

  describe('by Resend', () => {
    interface Asked { readonly path: string; readonly authorization: string; readonly key: string; readonly body: Record<string, unknown> }
    const asked: Asked[] = [];
    let answer: (request: Asked, response: ServerResponse) => void;
    let server: Server;
    const ok = (_request: Asked, response: ServerResponse): void => { response.setHeader('content-type', 'application/json').end(JSON.stringify({ id: newId() })); };
    const refusal = (statusCode: number, name: string, message: string) => (_request: Asked, response: ServerResponse): void => {
      response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify({ statusCode, name, message }));
    };
    before(async () => {
      server = createServer((request: IncomingMessage, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const one: Asked = {
            path: `${request.method} ${request.url}`, authorization: request.headers.authorization ?? '', key: String(request.headers['idempotency-key']),
            body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>,
          };
          asked.push(one);
          answer(one, response);
        });
      });
      await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    });
    after(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    });
    beforeEach(() => { asked.length = 0; answer = ok; });
    const apiKey = 're_a-key-that-nobody-must-see';
    const resend = (timeoutMs?: number): Mailer => opened(openResendMailer({
      apiKey: new Secret(apiKey), from, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }));

    it('is asked for with the key, whole, under the mail\'s id, at every attempt the same', async () => {
      const mail = mailTo();
      await resend().send(mail, signal);
      await resend().send(mail, signal);
      const [first, second] = asked;
      expect(first).to.deep.include({ path: 'POST /emails', authorization: `Bearer ${apiKey}`, key: mail.id });
      expect(first?.body).to.deep.include({ from, to: mail.to, subject: mail.subject, text: mail.text, html: mail.html, headers: { 'Auto-Submitted': 'auto-generated' } });
      expect(second).to.deep.equal(first);
    });

    it('is refused for good by what is about the mail', async () => {
      for (const [status, name] of [[422, 'validation_error'], [400, 'invalid_parameter'], [403, 'validation_error'], [451, 'security_error']] as const) {
        answer = refusal(status, name, 'Invalid `to` field: ada@example.com');
        const error = await failureOf(resend().send(mailTo(), signal));
        expect(error, name).to.be.instanceOf(MailRefused);
        expect(error.message).to.include(`${status} ${name}`).and.not.include('ada@example.com');
      }
    });

    it('may be tried again after what another time or another key would mend, and the key is not told', async () => {
      for (const [status, name] of [[429, 'rate_limit_exceeded'], [429, 'daily_quota_exceeded'], [500, 'internal_server_error'], [409, 'concurrent_idempotent_requests'], [403, 'invalid_api_key'], [401, 'restricted_api_key']] as const) {
        answer = refusal(status, name, `no: ${apiKey}`.replace(apiKey, 'the key'));
        const error = await failureOf(resend().send(mailTo(), signal));
        expect(error, name).not.to.be.instanceOf(MailRefused);
        expect(`${error.message}${error.stack}`).not.to.include(apiKey);
      }
      answer = (_request, response) => { response.writeHead(502).end('<html>Bad gateway</html>'); };
      expect((await failureOf(resend().send(mailTo(), signal))).message).to.include('502');
      answer = (_request, response) => { response.destroy(); };
      expect(await failureOf(resend().send(mailTo(), signal))).not.to.be.instanceOf(MailRefused);
    });

    it('counts as sent where an earlier attempt, worded a little differently, was taken', async () => {
      answer = refusal(409, 'invalid_idempotent_request', 'This idempotency key was used with another body.');
      await resend().send(mailTo(), signal);
    });

    it('ends at its deadline where no answer comes, and when the job is aborted', async () => {
      answer = () => undefined;
      expect(await failureOf(resend(50).send(mailTo(), signal))).to.be.instanceOf(DeadlineError);
      const ours = new Error('The process is going down.');
      expect(await failureOf(resend().send(mailTo(), AbortSignal.abort(ours)))).to.equal(ours);
    });

    it('is not asked for a mail that would say more than it should', async () => {
      expect(await failureOf(resend().send({ ...mailTo(), subject: 'a\r\nb' }, signal))).to.be.instanceOf(MailRefused);
      expect(asked).to.deep.equal([]);
    });
  });

  describe('as a job', () => {
    const backend = useBackend();
    let peer: SmtpPeer;
    before(async () => { peer = await startSmtpPeer(); });
    after(async () => { await peer.close(); });
    beforeEach(async () => {
      peer.received.length = 0;
      peer.on = {};
      await backend.current.sql('delete from system_jobs');
    });
    const verification: MailTemplate = { name: 'test.verification', render: (payload) => Promise.resolve(payload['used'] === true ? null : { to: String(payload['to']), content }) };
    const ask = async (payload: Record<string, unknown>, template = verification.name, dedupeKey?: string): Promise<string | null> =>
      backend.current.database.db.knex.transaction((trx) => sendMail(trx, template, payload, dedupeKey === undefined ? {} : { dedupeKey }));
    const run = async (mailer: Mailer): Promise<string[]> => {
      const { database: { db }, log, sql } = backend.current;
      await sql("update system_jobs set run_after = now() where status = 'queued'");
      const runner = new SystemRunner({ db, kinds: [mailKind([verification], mailer, log)], log });
      const due = await sql<{ id: string; epoch: number }>("select id, epoch from system_jobs where status = 'queued' order by id");
      return Promise.all(due.map(({ id, epoch }) => runner.run(id, epoch)));
    };
    const smtp = (): Mailer => opened(openSmtpMailer({ url: new Secret(`smtp://127.0.0.1:${peer.port}`), from }));

    it('is sent once, under the job\'s id, and leaves nothing of itself in the job', async () => {
      const id = await ask({ to: 'ada@example.com' });
      expect(await run(smtp())).to.deep.equal(['succeeded']);
      expect(peer.received.map(({ headers }) => headers.get('message-id'))).to.deep.equal([`<${id}@hive.example.com>`]);
      expect(await backend.current.sql('select payload from system_jobs')).to.deep.equal([{ payload: {} }]);
    });

    it('is tried again while the server says 451, and sent exactly once then', async () => {
      const id = await ask({ to: 'ada@example.com' });
      peer.on.recipient = () => ({ code: 451, words: 'later' });
      expect(await run(smtp())).to.deep.equal(['again']);
      expect(await run(smtp())).to.deep.equal(['again']);
      peer.on = {};
      expect([await run(smtp()), await run(smtp())]).to.deep.equal([['succeeded'], []]);
      expect(peer.received.map(({ headers }) => headers.get('message-id'))).to.deep.equal([`<${id}@hive.example.com>`]);
    });

    it('is given up at 550, with the reason and without the address', async () => {
      await ask({ to: 'ada@example.com' });
      peer.on.recipient = (address) => ({ code: 550, words: `no ${address} here` });
      expect(await run(smtp())).to.deep.equal(['failed']);
      expect(await backend.current.sql('select status, attempt, error_message, payload from system_jobs')).to.deep.equal([
        { status: 'failed', attempt: 1, error_message: 'The mail server refused the mail: 550 no (address) here', payload: {} },
      ]);
      expect(backend.current.logLines.join('')).not.to.match(/ada@example\.com|secret-of-the-link/);
    });

    it('is not sent where its template has nothing to say any more', async () => {
      await ask({ to: 'ada@example.com', used: true });
      expect(await run(smtp())).to.deep.equal(['succeeded']);
      expect(peer.received).to.deep.equal([]);
    });

    it('is not asked for a second time under one key while the first is on its way', async () => {
      expect(await ask({ to: 'ada@example.com' }, verification.name, 'once')).to.be.a('string');
      expect(await ask({ to: 'ada@example.com' }, verification.name, 'once')).to.equal(null);
      expect(await run(smtp())).to.deep.equal(['succeeded']);
      expect(await ask({ to: 'ada@example.com' }, verification.name, 'once')).to.be.a('string');
    });

    it('is tried again where no template of its name is known, as for another version\'s', async () => {
      await ask({ to: 'ada@example.com' }, 'test.newer');
      expect(await run(smtp())).to.deep.equal(['again']);
      expect(await backend.current.sql('select error_message from system_jobs')).to.deep.equal([{ error_message: 'There is no mail template test.newer.' }]);
    });

    it('comes again, and is known as a repeat, where the process was lost after the server took it', async () => {
      const id = await ask({ to: 'ada@example.com' });
      const { database: { db }, redis: { redis }, producer, log, sql } = backend.current;
      const kind = mailKind([verification], smtp(), log);
      const job = await claimSystemJob(db, id ?? '', 0);
      await kind.run(job?.payload ?? {}, { jobId: id ?? '', attempt: 1, signal });
      // Killed here: nobody ends the job.
      await sql("update system_jobs set lease_expires_at = now() - interval '1 second'");
      await new Reconciler({ db, redis, producer, kinds: [], systemKinds: [kind], log, everyMs: 3_600_000 }).reconcile();
      expect([await run(smtp()), await run(smtp())]).to.deep.equal([['succeeded'], []]);
      expect(peer.received).to.have.length(2);
      expect(new Set(peer.received.map(({ headers }) => headers.get('message-id'))).size).to.equal(1);
    });
  });
});
