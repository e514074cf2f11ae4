/** A thing that was found, as it is shown. Pure. */
import type { SearchCommentTarget, SearchResult } from '#generated/sdk/types.gen.ts';
import { excerptOf, highlightsOf } from './highlights.ts';
import type { SearchKind } from './queries.ts';

/** A row of `presentSql`. */
export interface FoundThing {
  readonly kind: SearchKind;
  readonly id: string;
  readonly project_id: string;
  readonly project_name: string;
  readonly title: string;
  readonly body: string | null;
  readonly entity_type: SearchCommentTarget['entity_type'] | null;
  readonly entity_id: string | null;
  readonly updated_at: string;
}

export function present(thing: FoundThing, score: number, words: readonly string[]): SearchResult {
  const { kind, id, project_id, project_name, title, body, entity_type, entity_id, updated_at } = thing;
  const excerpt = excerptOf(body, words);
  return {
    type: kind, id, project_id, project_name, title, excerpt, score, updated_at,
    // Of a comment the title is what it is on, which is not what was looked into.
    highlights: highlightsOf(kind === 'comment' ? null : title, excerpt, words),
    commented_on: entity_type === null || entity_id === null ? null : { entity_type, entity_id },
  };
}
