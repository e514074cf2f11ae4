import type { JobArtifact, JobResultReport } from '#generated/sdk/types.gen.ts';

interface Fault { readonly pointer: string; readonly message: string; readonly rule: string }

/** `bundle_url` and `logs_url` name an object by its key, or by the URL it was uploaded to, whose query is ignored. */
const named = [['bundle_url', 'bundle'], ['logs_url', 'log']] as const;

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
  if (!/^https?:\/\//i.test(name)) return name === key;
  try {
    return decodeURIComponent(new URL(name).pathname).endsWith(`/${key}`);
  } catch {
    return false;
  }
}
