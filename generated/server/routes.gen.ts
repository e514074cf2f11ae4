// Written by `npm run generate` from openapi/. Never edit it here.

import type { Route } from '#http/route.ts';
import type { OperationId, PendingOperationId } from './handlers.gen.ts';

/** The version of the contract these rows are of. */
export const contractVersion = "0.1.0";

/** The path every route is mounted below. */
export const basePath = "/api/v1";

/** Every mounted operation; words come before parameters, so the order is one a router may try them in. */
export const routes: readonly Route<OperationId>[] = [
  {"operationId":"listTierLimits","method":"get","path":"/admin/tiers","template":"/admin/tiers","tag":"Administration","auth":"admin","scope":null,"rateLimit":"admin","roles":null,"resource":null,"audit":null,"maxBodyBytes":0,"requestBody":"none","requestTypes":[],"idempotent":false,"etag":false,"ifMatch":false,"noStore":false,"responses":{"200":"json","400":"json","401":"json","403":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"loginUser","method":"post","path":"/auth/login","template":"/auth/login","tag":"Authentication","auth":"none","scope":null,"rateLimit":"strict","roles":null,"resource":null,"audit":"user.signed_in","maxBodyBytes":65536,"requestBody":"json","requestTypes":["application/json"],"idempotent":false,"etag":false,"ifMatch":false,"noStore":true,"responses":{"200":"json","400":"json","401":"json","403":"json","413":"json","415":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"logoutUser","method":"post","path":"/auth/logout","template":"/auth/logout","tag":"Authentication","auth":"jwt","scope":null,"rateLimit":"write","roles":null,"resource":null,"audit":"session.revoked","maxBodyBytes":0,"requestBody":"none","requestTypes":[],"idempotent":false,"etag":false,"ifMatch":false,"noStore":false,"responses":{"204":"none","400":"json","401":"json","403":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"refreshTokens","method":"post","path":"/auth/refresh","template":"/auth/refresh","tag":"Authentication","auth":"none","scope":null,"rateLimit":"public","roles":null,"resource":null,"audit":null,"maxBodyBytes":65536,"requestBody":"json","requestTypes":["application/json"],"idempotent":false,"etag":false,"ifMatch":false,"noStore":true,"responses":{"200":"json","400":"json","401":"json","413":"json","415":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"registerUser","method":"post","path":"/auth/register","template":"/auth/register","tag":"Authentication","auth":"none","scope":null,"rateLimit":"strict","roles":null,"resource":null,"audit":"user.registered","maxBodyBytes":65536,"requestBody":"json","requestTypes":["application/json"],"idempotent":false,"etag":false,"ifMatch":false,"noStore":true,"responses":{"201":"json","400":"json","409":"json","413":"json","415":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"getHealth","method":"get","path":"/health","template":"/health","tag":"Health","auth":"none","scope":null,"rateLimit":null,"roles":null,"resource":null,"audit":null,"maxBodyBytes":0,"requestBody":"none","requestTypes":[],"idempotent":false,"etag":false,"ifMatch":false,"noStore":false,"responses":{"200":"json","500":"json","503":"json"}},
  {"operationId":"listProjects","method":"get","path":"/projects","template":"/projects","tag":"Projects","auth":"user","scope":"projects:read","rateLimit":"read","roles":null,"resource":null,"audit":null,"maxBodyBytes":0,"requestBody":"none","requestTypes":[],"idempotent":false,"etag":false,"ifMatch":false,"noStore":false,"responses":{"200":"json","400":"json","401":"json","403":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"createProject","method":"post","path":"/projects","template":"/projects","tag":"Projects","auth":"user","scope":"projects:write","rateLimit":"write","roles":null,"resource":null,"audit":"project.created","maxBodyBytes":65536,"requestBody":"json","requestTypes":["application/json"],"idempotent":true,"etag":false,"ifMatch":false,"noStore":false,"responses":{"201":"json","400":"json","401":"json","402":"json","403":"json","404":"json","409":"json","413":"json","415":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"deleteProject","method":"delete","path":"/projects/:project_id","template":"/projects/{project_id}","tag":"Projects","auth":"user","scope":"projects:write","rateLimit":"write","roles":"project:owner","resource":"path.project_id","audit":"project.deleted","maxBodyBytes":0,"requestBody":"none","requestTypes":[],"idempotent":false,"etag":false,"ifMatch":true,"noStore":false,"responses":{"204":"none","400":"json","401":"json","403":"json","404":"json","412":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"getProject","method":"get","path":"/projects/:project_id","template":"/projects/{project_id}","tag":"Projects","auth":"user","scope":"projects:read","rateLimit":"read","roles":"project:member","resource":"path.project_id","audit":null,"maxBodyBytes":0,"requestBody":"none","requestTypes":[],"idempotent":false,"etag":true,"ifMatch":false,"noStore":false,"responses":{"200":"json","304":"none","400":"json","401":"json","403":"json","404":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"updateProject","method":"patch","path":"/projects/:project_id","template":"/projects/{project_id}","tag":"Projects","auth":"user","scope":"projects:write","rateLimit":"write","roles":"project:member","resource":"path.project_id","audit":"project.updated","maxBodyBytes":65536,"requestBody":"json","requestTypes":["application/json"],"idempotent":false,"etag":true,"ifMatch":true,"noStore":false,"responses":{"200":"json","400":"json","401":"json","403":"json","404":"json","412":"json","413":"json","415":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"getProjectSettings","method":"get","path":"/projects/:project_id/settings","template":"/projects/{project_id}/settings","tag":"Projects","auth":"user","scope":"projects:read","rateLimit":"read","roles":"project:member","resource":"path.project_id","audit":null,"maxBodyBytes":0,"requestBody":"none","requestTypes":[],"idempotent":false,"etag":true,"ifMatch":false,"noStore":false,"responses":{"200":"json","304":"none","400":"json","401":"json","403":"json","404":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"updateProjectSettings","method":"patch","path":"/projects/:project_id/settings","template":"/projects/{project_id}/settings","tag":"Projects","auth":"user","scope":"projects:write","rateLimit":"write","roles":"project:admin","resource":"path.project_id","audit":"project.settings_updated","maxBodyBytes":65536,"requestBody":"json","requestTypes":["application/json"],"idempotent":false,"etag":true,"ifMatch":true,"noStore":false,"responses":{"200":"json","400":"json","401":"json","403":"json","404":"json","412":"json","413":"json","415":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"listTiers","method":"get","path":"/tiers","template":"/tiers","tag":"Billing","auth":"none","scope":null,"rateLimit":"public","roles":null,"resource":null,"audit":null,"maxBodyBytes":0,"requestBody":"none","requestTypes":[],"idempotent":false,"etag":false,"ifMatch":false,"noStore":false,"responses":{"200":"json","400":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"getMe","method":"get","path":"/users/me","template":"/users/me","tag":"Account","auth":"user","scope":"account:read","rateLimit":"read","roles":null,"resource":null,"audit":null,"maxBodyBytes":0,"requestBody":"none","requestTypes":[],"idempotent":false,"etag":true,"ifMatch":false,"noStore":false,"responses":{"200":"json","304":"none","400":"json","401":"json","403":"json","429":"json","500":"json","503":"json"}},
  {"operationId":"getUsage","method":"get","path":"/users/me/usage","template":"/users/me/usage","tag":"Account","auth":"user","scope":"account:read","rateLimit":"read","roles":null,"resource":null,"audit":null,"maxBodyBytes":0,"requestBody":"none","requestTypes":[],"idempotent":false,"etag":false,"ifMatch":false,"noStore":false,"responses":{"200":"json","400":"json","401":"json","403":"json","429":"json","500":"json","503":"json"}},
];

export interface PendingRoute {
  readonly operationId: PendingOperationId;
  readonly method: Route['method'];
  readonly template: string;
}

/** In the contract and not mounted yet (codegen/pending.json). */
export const pendingRoutes: readonly PendingRoute[] = [
  {"operationId":"updateTierLimits","method":"patch","template":"/admin/tiers/{tier}"},
  {"operationId":"deleteAttachment","method":"delete","template":"/attachments/{attachment_id}"},
  {"operationId":"completeAttachment","method":"post","template":"/attachments/{attachment_id}/complete"},
  {"operationId":"downloadAttachment","method":"get","template":"/attachments/{attachment_id}/download"},
  {"operationId":"createDeviceLink","method":"post","template":"/auth/device-links"},
  {"operationId":"pollDeviceLink","method":"post","template":"/auth/device-links/token"},
  {"operationId":"getDeviceLink","method":"get","template":"/auth/device-links/{user_code}"},
  {"operationId":"approveDeviceLink","method":"post","template":"/auth/device-links/{user_code}/approve"},
  {"operationId":"denyDeviceLink","method":"post","template":"/auth/device-links/{user_code}/deny"},
  {"operationId":"listDevices","method":"get","template":"/auth/devices"},
  {"operationId":"removeDevice","method":"delete","template":"/auth/devices/{device_id}"},
  {"operationId":"requestEmailChange","method":"post","template":"/auth/email/change"},
  {"operationId":"verifyEmail","method":"post","template":"/auth/email/verify"},
  {"operationId":"resendVerification","method":"post","template":"/auth/email/verify/resend"},
  {"operationId":"regenerateRecoveryCodes","method":"post","template":"/auth/mfa/recovery-codes"},
  {"operationId":"disableTotp","method":"delete","template":"/auth/mfa/totp"},
  {"operationId":"enrollTotp","method":"post","template":"/auth/mfa/totp"},
  {"operationId":"confirmTotp","method":"post","template":"/auth/mfa/totp/confirm"},
  {"operationId":"verifyMfa","method":"post","template":"/auth/mfa/verify"},
  {"operationId":"changePassword","method":"post","template":"/auth/password/change"},
  {"operationId":"forgotPassword","method":"post","template":"/auth/password/forgot"},
  {"operationId":"resetPassword","method":"post","template":"/auth/password/reset"},
  {"operationId":"createSessionToken","method":"post","template":"/auth/session-tokens"},
  {"operationId":"consumeSessionToken","method":"post","template":"/auth/session-tokens/consume"},
  {"operationId":"revokeOtherSessions","method":"delete","template":"/auth/sessions"},
  {"operationId":"listSessions","method":"get","template":"/auth/sessions"},
  {"operationId":"revokeSession","method":"delete","template":"/auth/sessions/{session_id}"},
  {"operationId":"deleteLabel","method":"delete","template":"/labels/{label_id}"},
  {"operationId":"updateLabel","method":"patch","template":"/labels/{label_id}"},
  {"operationId":"listProjectTemplates","method":"get","template":"/project-templates"},
  {"operationId":"listProjectActivity","method":"get","template":"/projects/{project_id}/activity"},
  {"operationId":"unfavoriteProject","method":"delete","template":"/projects/{project_id}/favorite"},
  {"operationId":"favoriteProject","method":"put","template":"/projects/{project_id}/favorite"},
  {"operationId":"listLabels","method":"get","template":"/projects/{project_id}/labels"},
  {"operationId":"createLabel","method":"post","template":"/projects/{project_id}/labels"},
  {"operationId":"listProjectMembers","method":"get","template":"/projects/{project_id}/members"},
  {"operationId":"addProjectMember","method":"post","template":"/projects/{project_id}/members"},
  {"operationId":"removeProjectMember","method":"delete","template":"/projects/{project_id}/members/{user_id}"},
  {"operationId":"listProjectTags","method":"get","template":"/projects/{project_id}/tags"},
  {"operationId":"createProjectTag","method":"post","template":"/projects/{project_id}/tags"},
  {"operationId":"deleteProjectTag","method":"delete","template":"/projects/{project_id}/tags/{tag_id}"},
  {"operationId":"updateProjectTag","method":"patch","template":"/projects/{project_id}/tags/{tag_id}"},
  {"operationId":"listTasks","method":"get","template":"/projects/{project_id}/tasks"},
  {"operationId":"createTask","method":"post","template":"/projects/{project_id}/tasks"},
  {"operationId":"transferProject","method":"post","template":"/projects/{project_id}/transfer"},
  {"operationId":"deleteTask","method":"delete","template":"/tasks/{task_id}"},
  {"operationId":"getTask","method":"get","template":"/tasks/{task_id}"},
  {"operationId":"updateTask","method":"patch","template":"/tasks/{task_id}"},
  {"operationId":"listAttachments","method":"get","template":"/tasks/{task_id}/attachments"},
  {"operationId":"createAttachment","method":"post","template":"/tasks/{task_id}/attachments"},
  {"operationId":"listTaskDependencies","method":"get","template":"/tasks/{task_id}/dependencies"},
  {"operationId":"removeTaskDependency","method":"delete","template":"/tasks/{task_id}/dependencies/{depends_on_task_id}"},
  {"operationId":"addTaskDependency","method":"put","template":"/tasks/{task_id}/dependencies/{depends_on_task_id}"},
  {"operationId":"detachLabel","method":"delete","template":"/tasks/{task_id}/labels/{label_id}"},
  {"operationId":"attachLabel","method":"put","template":"/tasks/{task_id}/labels/{label_id}"},
  {"operationId":"updateMe","method":"patch","template":"/users/me"},
  {"operationId":"requestAccountDeletion","method":"post","template":"/users/me/deletion"},
  {"operationId":"requestDataExport","method":"post","template":"/users/me/exports"},
  {"operationId":"getDataExport","method":"get","template":"/users/me/exports/{export_id}"},
  {"operationId":"getPreferences","method":"get","template":"/users/me/preferences"},
  {"operationId":"updatePreferences","method":"patch","template":"/users/me/preferences"},
  {"operationId":"searchUsers","method":"get","template":"/users/search"},
];
