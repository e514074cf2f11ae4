/** Somebody who follows a live session by the SDK, for tests: what came, and waiting for what is to come. */
import { expect } from 'chai';
import type { LivePreview, LiveRevision, LiveUpdate } from '#sdk/index.ts';
import { until } from './until.ts';

type Of<Kind extends LiveUpdate['kind']> = Extract<LiveUpdate, { kind: Kind }>;

export interface Follower {
  readonly updates: LiveUpdate[];
  of<Kind extends LiveUpdate['kind']>(kind: Kind): Of<Kind>[];
  /** The first update of this kind that matches; waits for it. */
  one<Kind extends LiveUpdate['kind']>(kind: Kind, matches?: (update: Of<Kind>) => boolean, withinMs?: number): Promise<Of<Kind>>;
  /** The end of the first push that wrote or removed this path after `pushes` of them were seen. */
  built(path: string, withinMs?: number): Promise<LiveRevision>;
  readonly ended: Promise<void>;
}

export function follow(live: LivePreview): Follower {
  const updates: LiveUpdate[] = [];
  let seen = 0;
  let failure: unknown = null;
  const ended = (async () => { for await (const update of live) updates.push(update); })();
  ended.catch((error: unknown) => { failure = error; });
  const of = <Kind extends LiveUpdate['kind']>(kind: Kind): Of<Kind>[] => updates.filter((update): update is Of<Kind> => update.kind === kind);
  const one: Follower['one'] = async (kind, matches = () => true, withinMs = 20_000) => {
    await until(`an update of kind ${kind}`, () => of(kind).some(matches), withinMs);
    return of(kind).find(matches) ?? expect.fail('it was there');
  };
  return {
    updates, of, one, ended,
    built: async (path, withinMs = 30_000) => {
      const touches = ({ written, removed }: Of<'pushed'>): boolean => [...written, ...removed].includes(path);
      await until(`a push of ${path}`, () => of('pushed').slice(seen).some(touches), withinMs).catch((error: unknown) => {
        const told = [...of('refused'), ...of('waiting')].map(({ kind, error: { code, status, message, details } }) => `${kind}: ${status} ${code} ${message} ${JSON.stringify(details)}`);
        throw new Error([`No push of ${path} came.`, ...told].join('\n'), { cause: failure ?? error });
      });
      const push = of('pushed').slice(seen).find(touches) ?? expect.fail('it was there');
      seen = of('pushed').indexOf(push) + 1;
      // What is passed over is built with the next.
      const { revision } = await one('revision', (update) => update.revision.revision >= push.revision && ['ready', 'failed'].includes(update.revision.status), withinMs);
      return revision;
    },
  };
}
