/** Where a project's attachments live: below the project, so that they end with it. */

/** An attachment's content, for good. */
export const attachmentKey = (projectId: string, attachmentId: string): string => `projects/${projectId}/attachments/${attachmentId}`;

/** Where the upload of it arrives, before it is verified: the URL that writes there outlives that. */
export const arrivalOf = (key: string): string => key.replace('/attachments/', '/attachment-uploads/');
