/** Where a project's preview objects live. Blobs belong to one project: another's hash leads nowhere. */

/** A source by its hash, for good. */
export const blobKey = (projectId: string, sha256: string): string => `projects/${projectId}/blobs/${sha256.slice(0, 2)}/${sha256}`;

/** Where uploads of one job arrive, before they are verified. */
export const stagingPrefix = (projectId: string, jobId: string): string => `projects/${projectId}/staging/${jobId}/`;
export const stagedBlobKey = (projectId: string, jobId: string, sha256: string): string => `${stagingPrefix(projectId, jobId)}${sha256}`;
export const stagedPackKey = (projectId: string, jobId: string): string => `${stagingPrefix(projectId, jobId)}pack.tar`;

/** What a job made. */
export const jobPrefix = (projectId: string, jobId: string): string => `projects/${projectId}/previews/${jobId}/`;
