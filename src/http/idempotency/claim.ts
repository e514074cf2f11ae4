import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import type { IdempotencySlot } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import { extendSql, releaseSql, sealSql } from './queries.ts';
import { sealAnswer, type KeptAnswer } from './sealed-answer.ts';

/** What a claim needs of the pipeline to know the answer before the handler has given it. */
export interface Foretell {
  /** The answer that `data` will become: status, headers that follow from it, serialised envelope. */
  (data: unknown, etag?: string): KeptAnswer;
}

/**
 * One key in one request's charge, from before the handler until the answer. The answer is left in the transaction of
 * the effect (`slot.seal`), or after the handler where there was none; a key that led to nothing is given back.
 */
export class Claim {
  readonly slot: IdempotencySlot;
  readonly #db: Database;
  readonly #pepper: KeyObject;
  readonly #rowId: string;
  readonly #leaseToken: string;
  readonly #log: Logger;
  #sealed: KeptAnswer | null = null;
  #beat: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly db: Database; readonly pepper: KeyObject; readonly rowId: string; readonly leaseToken: string;
    readonly key: string; readonly foretell: Foretell; readonly log: Logger;
  }) {
    const { db, pepper, rowId, leaseToken, key, foretell, log } = options;
    this.#db = db;
    this.#pepper = pepper;
    this.#rowId = rowId;
    this.#leaseToken = leaseToken;
    this.#log = log;
    this.slot = {
      key,
      seal: async (trx: Knex.Transaction, data: unknown, etag?: string) => {
        const answer = foretell(data, etag);
        const rows = await db.namedIn(trx, 'idempotency.seal', sealSql, this.#values(answer));
        // Somebody took the key over because our lease ran out: this transaction must not commit beside theirs.
        if (rows.length === 0) throw new Error('The idempotency key was taken over by another request.');
        this.#sealed = answer;
      },
    };
  }

  /** Extends the lease while the request runs, up to `heldMs` from now. A try that fails is made good by the next one. */
  keepAlive(leaseMs: number, heldMs: number): void {
    const endsAt = performance.now() + heldMs - leaseMs;
    this.#beat = setInterval(() => {
      if (performance.now() > endsAt) {
        this.rest();
        return;
      }
      this.#db.named('idempotency.extend', extendSql, [this.#rowId, this.#leaseToken, leaseMs]).catch((error: unknown) => {
        this.#log.warn('idempotency.not_extended', 'The lease of an idempotency key could not be extended', { error });
      });
    }, leaseMs / 4);
    this.#beat.unref();
  }

  /** The request is over. */
  rest(): void {
    clearInterval(this.#beat);
  }

  /** Leaves the answer that is about to be sent, unless the very same was sealed with the effect. */
  async keep(answer: KeptAnswer): Promise<void> {
    const sealed = this.#sealed;
    if (sealed !== null && sealed.status === answer.status && sealed.text === answer.text && sameHeaders(sealed.headers, answer.headers)) return;
    if (sealed !== null) {
      // A crash in between would have repeated what was sealed. Worth knowing: the service returned something else than it answered.
      this.#log.warn('idempotency.sealed_otherwise', 'The answer differs from the one sealed in its transaction', {
        status: answer.status, sealed_status: sealed.status, same_body: sealed.text === answer.text,
      });
    }
    await this.#db.named('idempotency.seal', sealSql, this.#values(answer));
  }

  /** Gives the key back: the next request with it starts anew. An answer sealed by a commit stays. */
  async release(): Promise<void> {
    await this.#db.named('idempotency.release', releaseSql, [this.#rowId, this.#leaseToken]);
  }

  #values(answer: KeptAnswer): [string, string, number, Buffer] {
    return [this.#rowId, this.#leaseToken, answer.status, sealAnswer(this.#pepper, this.#rowId, this.slot.key, answer)];
  }
}

const sameHeaders = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((part, at) => part === b[at]);
