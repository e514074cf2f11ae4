/** Where a project's preview objects live. Blobs belong to one project: another's hash leads nowhere. */

/** A source by its hash, for good. */
export const blobKey = (projectId: string, sha256: string): string => `projects/${projectId}/blobs/${sha256.slice(0, 2)}/${sha256}`;

/** Where uploads of one job arrive, before they are verified. */
export const stagingPrefix = (projectId: string, jobId: string): string => `projects/${projectId}/staging/${jobId}/`;
export const stagedBlobKey = (projectId: string, jobId: string, sha256: string): string => `${stagingPrefix(projectId, jobId)}${sha256}`;
export const stagedPackKey = (projectId: string, jobId: string): string => `${stagingPrefix(projectId, jobId)}pack.tar`;

/** What all attempts of a job made. */
export const jobPrefix = (projectId: string, jobId: string): string => `projects/${projectId}/previews/${jobId}/`;
/**
 * What one attempt of a job made. Each attempt has a place of its own: a worker that lost its lease still holds URLs for
 * its uploads, and must not change what a later attempt stored.
 */
export const attemptPrefix = (projectId: string, jobId: string, attempt: number): string => `${jobPrefix(projectId, jobId)}${attempt}/`;

/** What was uploaded to a client's own session; each upload beside the others, until one is the session's. */
export const sessionPrefix = (projectId: string, sessionId: string): string => `projects/${projectId}/preview-sessions/${sessionId}/`;

/** What a live session made, attempt by attempt. */
export const livePrefix = (projectId: string, liveId: string): string => `projects/${projectId}/live/${liveId}/`;
