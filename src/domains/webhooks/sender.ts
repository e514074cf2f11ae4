/**
 * Sends what is due. Deliveries are their own queue, in Postgres: an endpoint that is slow keeps its few places and no
 * other's, which the queue of system jobs, with four places for everything, could not see to. Any number of processes
 * may send; a delivery is held under a lease by one of them, and comes again when that process was lost.
 */
import { atMost } from '#platform/concurrency.ts';
import type { Vault } from '#platform/crypto.ts';
import type { Database, Listener } from '#platform/database.ts';
import { pause } from '#platform/deadline.ts';
import type { Logger } from '#platform/log.ts';
import type { Outgoing } from '#platform/outgoing/client.ts';
import { attemptDelivery } from './attempts.ts';
import type { Outcome } from './retries.ts';
import { secretContext } from './secrets.ts';
import { handBackSql, leaseSeconds, takeSql, takeTurnSql } from './sending-queries.ts';
import { type Attempted, settle } from './settling.ts';
import { deliveriesChannel } from './waking.ts';

/** Attempts of one process at once: sockets that wait. Endpoints that fail get some of them, so that the others always find one. */
const places = { all: 64, failing: 16 };
/** Under LISTEN/NOTIFY: what is tried again has nobody who tells. */
const pollMs = 1_000;
/** What comes within this goes in one look, or within as long as the look itself took: it works half of the time at most. */
const looksApartMs = 25;
const backoffMs = { first: 500, most: 10_000 };
/** What came of attempts is written down by so many at once, each on a connection: the pool's others are for requests. */
const settledAtOnce = 3;
/** Writing down what came of an attempt is tried again while the database is away, within the lease. */
const settleWaitMs = 1_000;

interface Taken extends Omit<Attempted, 'attempted_at'> {
  readonly event_id: string;
  readonly body: string;
  readonly url: string;
  readonly is_failing: boolean;
  readonly secret: Buffer;
  readonly secret_key_id: string;
  readonly previous_secret: Buffer | null;
  readonly previous_secret_key_id: string | null;
}

export interface SenderOptions {
  readonly db: Database;
  readonly outgoing: Outgoing;
  readonly vault: Vault;
  readonly log: Logger;
}

export class WebhookSender {
  readonly #on: SenderOptions;
  readonly #inHand = new Map<string, { readonly taken: Taken; readonly work: Promise<void> }>();
  readonly #inTurn = atMost(settledAtOnce);
  readonly #refusing = new AbortController();
  readonly #stopping = new AbortController();
  #listener: Listener | null = null;
  #loop: Promise<void> = Promise.resolve();
  #woken = false;
  #wake: (() => void) | null = null;

  constructor(options: SenderOptions) {
    this.#on = options;
  }

  /** Begins at once; a database that is away is waited for. */
  start(): void {
    this.#listener = this.#on.db.listen(deliveriesChannel, () => this.#look());
    this.#loop = this.#run();
  }

  /** Takes nothing new. */
  refuse(): void {
    this.#refusing.abort();
    this.#look();
  }

  /** Resolves when nothing is on its way any more, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    this.refuse();
    const late = new AbortController();
    await Promise.race([this.#loop.then(() => this.#allEnded()), pause(timeoutMs, late.signal).catch(() => undefined)]);
    late.abort();
  }

  /** Cuts off what is on its way and gives it back, so that another process tries it again at once. */
  async stop(): Promise<void> {
    this.refuse();
    this.#stopping.abort(new Error('The process is going down.'));
    await this.#loop;
    await this.#allEnded();
    await this.#listener?.close();
  }

  /** Sends everything that is due, and what becomes due meanwhile; answers how many attempts that were. */
  async sendDue(): Promise<number> {
    let sent = 0;
    for (;;) {
      const taken = await this.#take();
      if (taken === 0) return sent;
      sent += taken;
      await this.#allEnded();
    }
  }

  #look(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async #allEnded(): Promise<void> {
    await Promise.all([...this.#inHand.values()].map(({ work }) => work));
  }

  async #run(): Promise<void> {
    const { signal } = this.#refusing;
    let waitMs = backoffMs.first;
    while (!signal.aborted) {
      this.#woken = false;
      try {
        const lookedAt = performance.now();
        await this.#take();
        const tookMs = performance.now() - lookedAt;
        waitMs = backoffMs.first;
        await this.#rest();
        await pause(Math.max(looksApartMs, tookMs), signal).catch(() => undefined);
      } catch (error) {
        this.#on.log.warn('webhooks.take', 'Deliveries could not be taken up and will be later', { error, wait_ms: waitMs });
        await pause(waitMs, signal).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, backoffMs.most);
      }
    }
  }

  /** Until there is word of more, an attempt has ended and made room, or the poll. */
  async #rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pollMs);
      this.#wake = () => { clearTimeout(timer); resolve(); };
      if (this.#woken || this.#refusing.signal.aborted) this.#wake();
    });
    this.#wake = null;
  }

  /** Takes what there is room for, and begins it; answers how many. */
  async #take(): Promise<number> {
    const { db } = this.#on;
    const failing = [...this.#inHand.values()].filter(({ taken }) => taken.is_failing).length;
    const free = places.all - this.#inHand.size;
    if (free <= 0) return 0;
    const rows = await db.knex.transaction(async (trx) => {
      await db.namedIn(trx, 'webhooks.take_turn', takeTurnSql, []);
      return db.namedIn<Taken>(trx, 'webhooks.take', takeSql, [free, Math.max(0, places.failing - failing)]);
    });
    for (const taken of rows) {
      const work = this.#send(taken).finally(() => {
        this.#inHand.delete(taken.lease_token);
        this.#look();
      });
      this.#inHand.set(taken.lease_token, { taken, work });
    }
    return rows.length;
  }

  /** Never rejects: a delivery whose attempt could not be made or written down is taken again when its lease is over. */
  async #send(taken: Taken): Promise<void> {
    const { db, outgoing, log } = this.#on;
    const { signal } = this.#stopping;
    const leaseEndsAtMs = performance.now() + leaseSeconds * 1000;
    const told = { delivery_id: taken.id, webhook_id: taken.webhook_id, attempt: taken.attempt_count + 1 };
    try {
      const attemptedAt = new Date();
      const signed = { id: taken.event_id, timestamp: Math.floor(attemptedAt.getTime() / 1000), body: taken.body };
      const outcome = await attemptDelivery(outgoing, { ...signed, url: taken.url, secrets: this.#secretsOf(taken), signal });
      const isOurs = await this.#settle({ ...taken, attempted_at: attemptedAt.toISOString() }, outcome, leaseEndsAtMs);
      log.debug('webhooks.attempted', 'A delivery was attempted', { ...told, status: outcome.response_status, failure: outcome.failure, duration_ms: outcome.duration_ms, counted: isOurs });
    } catch (error) {
      if (signal.aborted) await db.named('webhooks.hand_back', handBackSql, [[taken.lease_token]]).catch(() => undefined);
      else log.error('webhooks.not_attempted', 'A delivery could not be attempted, or what came of it not be written down; it is tried again', { ...told, error });
    }
  }

  /** The new one first; the one before it for as long as it is to agree too. */
  #secretsOf({ webhook_id: id, secret, secret_key_id: keyId, previous_secret: previous, previous_secret_key_id: previousKeyId }: Taken): string[] {
    const open = (data: Buffer, key: string): string => this.#on.vault.open({ data, keyId: key }, secretContext(id)).toString();
    return [open(secret, keyId), ...(previous === null || previousKeyId === null ? [] : [open(previous, previousKeyId)])];
  }

  /** What arrived should not arrive twice because the database was away for a moment. */
  async #settle(attempted: Attempted, outcome: Outcome, leaseEndsAtMs: number): Promise<boolean> {
    for (;;) {
      try {
        return await this.#inTurn(() => settle(this.#on.db, attempted, outcome));
      } catch (error) {
        if (this.#stopping.signal.aborted || performance.now() + settleWaitMs > leaseEndsAtMs) throw error;
        await pause(settleWaitMs, this.#stopping.signal);
      }
    }
  }
}
