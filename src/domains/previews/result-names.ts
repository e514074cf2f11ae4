import type { JobArtifact, JobResultReport } from '#generated/sdk/types.gen.ts';

export interface Fault { readonly pointer: string; readonly message: string; readonly rule: string }

/** `bundle_url` and `logs_url` name an object by its key, or by the URL it was uploaded to, whose query is ignored. */
export const named = [['bundle_url', 'bundle'], ['logs_url', 'log']] as const;

/** What the two name that is none of the artifacts of its kind: nothing else may be shown under this job. */
export function misnamed(report: JobResultReport): Fault[] {
  return named.flatMap(([field, kind]) => {
    const name = report[field];
    if (name === undefined || name === null) return [];
    const isRight = (report.artifacts ?? []).some((artifact) => artifact.kind === kind && names(name, artifact));
    return isRight ? [] : [{ pointer: `#/body/${field}`, message: `names no ${kind} among the artifacts`, rule: 'object' }];
  });
}

function names(name: string, { object_key: key }: JobArtifact): boolean {
  return isUrl(name) ? pathOf(name)?.endsWith(`/${key}`) === true : name === key;
}

/** What a name leads to below `place`, which ends in a slash; null where it leads elsewhere. */
export function pathIn(place: string, name: string): string | null {
  const path = isUrl(name) ? pathOf(name) : `/${name}`;
  const start = path?.indexOf(`/${place}`) ?? -1;
  // A URL may have the bucket before the key.
  const isThere = start === 0 || (start > 0 && isUrl(name));
  return isThere ? path?.slice(start + 1 + place.length) || null : null;
}

const isUrl = (name: string): boolean => /^https?:\/\//i.test(name);

function pathOf(url: string): string | null {
  try {
    return decodeURIComponent(new URL(url).pathname);
  } catch {
    return null;
  }
}
