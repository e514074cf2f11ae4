import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { retryAfterOf, waitAfter } from '#domains/webhooks/retries.ts';
import { newSecret } from '#domains/webhooks/secrets.ts';
import { signatureHeaders } from '#domains/webhooks/signature.ts';
import { newId } from '#platform/ids.ts';

const second = 1_000;
const hour = 3_600 * second;
const none = { retryAfterMs: null };

describe('signatures of webhooks', () => {
  const id = newId();
  const timestamp = Math.floor(Date.now() / 1000);
  const body = JSON.stringify({ id, text: 'Größe, 大きさ, 🙂, "\u2028"' });

  it('are what any Standard Webhooks library takes, over the bytes that are sent', () => {
    for (let round = 0; round < 20; round += 1) {
      const secret = newSecret();
      const headers = signatureHeaders([secret], { id, timestamp, body });
      expect(new Webhook(secret).verify(body, headers)).to.deep.equal(JSON.parse(body));
      expect(headers).to.deep.equal({ 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': new Webhook(secret).sign(id, new Date(timestamp * 1000), body) });
      const others: [string, Record<string, string>, string][] = [
        [newSecret(), headers, body], [secret, { ...headers, 'webhook-id': newId() }, body], [secret, headers, `${body} `],
        [secret, { ...headers, 'webhook-timestamp': String(timestamp + 1) }, body],
      ];
      for (const [of, told, came] of others) expect(() => new Webhook(of).verify(came, told)).to.throw('No matching signature');
    }
  });

  it('are taken by whoever holds the old secret or the new one while it is rotated, and by nobody else', () => {
    const [now, before] = [newSecret(), newSecret()];
    const headers = signatureHeaders([now, before], { id, timestamp, body });
    expect(headers['webhook-signature']).to.match(/^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/);
    for (const secret of [now, before]) expect(new Webhook(secret).verify(body, headers)).to.deep.equal(JSON.parse(body));
    expect(() => new Webhook(newSecret()).verify(body, headers)).to.throw();
  });

  it('are made with secrets of 24 to 64 bytes, whatever bytes they are', () => {
    for (const bytes of [24, 32, 64]) {
      const secret = `whsec_${randomBytes(bytes).toString('base64')}`;
      expect(new Webhook(secret).verify(body, signatureHeaders([secret], { id, timestamp, body }))).to.be.an('object');
    }
  });
});

describe('a delivery that did not arrive', () => {
  it('is tried ten times over three days, each wait a fifth shorter or longer by chance', () => {
    const usual = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map((seconds) => seconds * second);
    const waits = (chance: number): (number | null)[] => Array.from({ length: 10 }, (_, attempt) => waitAfter(attempt + 1, 'occurrence', none, chance));
    expect(waits(0.5)).to.deep.equal([...usual, null]);
    expect(waits(0)).to.deep.equal([...usual.map((ms) => ms * 0.8), null]);
    expect(waits(1)).to.deep.equal([...usual.map((ms) => ms * 1.2), null]);
    const drawn = Array.from({ length: 200 }, () => waitAfter(1, 'redelivery', none) ?? 0);
    expect([Math.min(...drawn) >= 4_000, Math.max(...drawn) <= 6_000, new Set(drawn).size > 50]).to.deep.equal([true, true, true]);
  });

  it('is not tried again where it was a test', () => {
    expect(waitAfter(1, 'test', none)).to.equal(null);
  });

  it('waits for as long as it is asked to, up to a day, and never less than it would', () => {
    expect(waitAfter(1, 'occurrence', { retryAfterMs: 60 * second }, 0.5)).to.equal(60 * second);
    expect(waitAfter(1, 'occurrence', { retryAfterMs: 90 * 24 * hour }, 0.5)).to.equal(24 * hour);
    expect(waitAfter(4, 'occurrence', { retryAfterMs: second }, 0.5)).to.equal(2 * hour);
    expect(waitAfter(9, 'occurrence', { retryAfterMs: 90 * 24 * hour }, 1)).to.equal(24 * hour * 1.2);
    expect(waitAfter(10, 'occurrence', { retryAfterMs: second })).to.equal(null);
  });

  it('is asked to wait by 429 and 503 alone, in seconds or by a date', () => {
    const now = Date.UTC(2026, 10, 21, 12);
    expect([429, 503].map((status) => retryAfterOf(status, '120', now))).to.deep.equal([120 * second, 120 * second]);
    expect([500, 200, 301, 404].map((status) => retryAfterOf(status, '120', now))).to.deep.equal([null, null, null, null]);
    expect(retryAfterOf(429, 'Sat, 21 Nov 2026 12:01:00 GMT', now)).to.equal(60 * second);
    expect(retryAfterOf(429, 'Sat, 21 Nov 2026 11:00:00 GMT', now)).to.equal(0);
    for (const header of [undefined, '', 'soon', '-5', '1e9', '99999999999999']) expect(retryAfterOf(429, header, now), header).to.equal(null);
  });
});
