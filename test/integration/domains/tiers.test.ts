import { expect } from 'chai';
import { useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { statementsOf } from '../../support/statements.ts';

describe('tiers', () => {
  const backend = useBackend();
  const settle = (): void => backend.current.clock.advance(5_000);

  it('are offered to everybody, cheapest first, without the administrators\' own', async () => {
    const { data } = await backend.current.run('listTiers', { kind: 'anonymous' });
    expect(data.items.map((offer) => offer.tier)).to.deep.equal(['free', 'pro', 'premium']);
    const [free] = data.items;
    expect(free?.limits).to.include({ projects: 5, preview_jobs_at_once: 1, preview_source_bytes: 25_000_000, queue_class: 'cpu', queue_priority: 'low' });
    expect(data.page).to.deep.equal({ limit: 50, offset: 0, total: 3, next_cursor: null });
  });

  it('are paged by offset and by cursor', async () => {
    const { run } = backend.current;
    const first = await run('listTiers', { kind: 'anonymous' }, { query: { limit: 2 } });
    const second = await run('listTiers', { kind: 'anonymous' }, { query: { limit: 2, cursor: first.data.page.next_cursor ?? '' } });
    expect([...first.data.items, ...second.data.items].map((offer) => offer.tier)).to.deep.equal(['free', 'pro', 'premium']);
    expect(second.data.page.next_cursor).to.equal(null);
    expect((await run('listTiers', { kind: 'anonymous' }, { query: { offset: 2 } })).data.items).to.have.length(1);
    expect(await codeOf(run('listTiers', { kind: 'anonymous' }, { query: { cursor: 'x' } }))).to.equal('VALIDATION_ERROR');
  });

  it('are told whole to administrators alone, with no cap as null', async () => {
    const { run, person } = backend.current;
    expect(await codeOf(run('listTierLimits', await person('premium')))).to.equal('FORBIDDEN');
    const { data } = await run('listTierLimits', await person('admin'));
    expect(data.items.map((item) => item.tier)).to.deep.equal(['free', 'pro', 'premium', 'admin']);
    expect(data.items.at(-1)?.limits.projects).to.equal(null);
  });

  it('hold in a new form within five seconds of a change, and not before', async () => {
    const { run, person, sql } = backend.current;
    const ada = await person('free');
    settle();
    await run('createProject', ada, { body: { name: 'one' } });
    await sql("update tier_limits set projects = 1 where tier = 'free'");
    try {
      await run('createProject', ada, { body: { name: 'two, by the limits of a moment ago' } });
      settle();
      const refusal = await refusalOf(run('createProject', ada, { body: { name: 'three' } }));
      expect(refusal.details).to.deep.equal({ limit: 'projects', allowed: 1, used: 2, tier: 'free', upgrade_to: 'pro' });
    } finally {
      await sql("update tier_limits set projects = 5 where tier = 'free'");
      settle();
    }
  });

  it('are read by one statement, however many ask at once', async () => {
    settle();
    const { services: { tiers } } = backend.current;
    const statements = await statementsOf(async () => {
      await Promise.all(Array.from({ length: 20 }, () => tiers.limitsOf('pro')));
      await tiers.limitsOf('free');
    });
    expect(statements).to.have.length(1);
  });

  it('are asked anew after a read that failed', async () => {
    const { services: { tiers }, sql } = backend.current;
    settle();
    await sql('alter table tier_limits rename to elsewhere');
    try {
      expect(await tiers.limitsOf('pro').then(() => 'answered', () => 'failed')).to.equal('failed');
    } finally {
      await sql('alter table elsewhere rename to tier_limits');
    }
    expect((await tiers.limitsOf('pro')).projects).to.equal(100);
  });

  it('are the override\'s while it stands, else the account\'s own', async () => {
    const { person, sql, services: { credentials } } = backend.current;
    const ada = await person('free');
    const tierNow = async (): Promise<string | undefined> => (await credentials.account(ada.userId))?.tier;
    await sql("update users set tier_override = 'premium' where id = ?", [ada.userId]);
    expect(await tierNow()).to.equal('premium');
    await sql("update users set tier_override_until = now() + interval '1 hour' where id = ?", [ada.userId]);
    expect(await tierNow()).to.equal('premium');
    await sql("update users set tier_override_until = now() - interval '1 second' where id = ?", [ada.userId]);
    expect(await tierNow()).to.equal('free');
  });
});
