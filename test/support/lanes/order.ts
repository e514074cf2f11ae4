/** In which order the files run: what takes long comes first, so that no lane is left with it at the end. */

/** Of the files that took more than ten seconds on two cores, longest first. */
const long = [
  'acceptance/properties', 'acceptance/live-sessions', 'acceptance/previews', 'integration/platform/machine', 'fault/previews', 'fault/three-hundred-jobs',
  'integration/preview-builder/expo', 'integration/preview-builder/hostile', 'integration/preview-builder/hostile-process', 'acceptance/matrix/matrix',
  'acceptance/projects', 'fault/system-jobs', 'integration/workers/runtime', 'integration/preview-builder/live', 'integration/domains/erasure',
  'acceptance/guarantees/audit', 'acceptance/guarantees/idempotency-killed', 'acceptance/guarantees/idempotency', 'acceptance/scaling', 'integration/admin-create',
  'integration/domains/comment-plans', 'integration/domains/search-plans', 'integration/domains/task-plans', 'integration/domains/notification-lists',
];

/** These compare times with each other, or with bounds of a fraction of a second: nothing else may run beside them. */
const alone = ['unit/workers/admission', 'unit/domains/comment-mentions', 'integration/domains/unknown-accounts', 'integration/storage/s3-faults'];

/** What every other file has done is looked at here. */
const last = ['acceptance/coverage'];

export interface Rounds {
  readonly beside: readonly string[];
  /** Each when nothing else runs. */
  readonly alone: readonly string[];
}

/** `files`: paths below `test/` that end in `.test.ts`. */
export function inRounds(files: readonly string[]): Rounds {
  const names = new Set(files.map(nameOf));
  const strange = [...long, ...alone, ...last].filter((name) => !names.has(name));
  if (strange.length > 0) throw new Error(`test/support/lanes/order.ts names what is no file of tests: ${strange.join(', ')}`);
  const late = new Set([...alone, ...last]);
  const place = (file: string): number => (long.indexOf(nameOf(file)) + long.length + 1) % (long.length + 1);
  return {
    beside: files.filter((file) => !late.has(nameOf(file))).sort((one, other) => place(one) - place(other) || one.localeCompare(other)),
    alone: [...late].map((name) => `${name}.test.ts`),
  };
}

const nameOf = (file: string): string => file.replace(/\.test\.ts$/, '');
