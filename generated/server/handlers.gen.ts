// Written by `npm run generate` from openapi/. Never edit it here.

import type { Readable } from 'node:stream';
import type { HandlerRequest, StreamEvent } from '#http/route.ts';
import type { Call } from '#platform/call.ts';
import type * as wire from '../sdk/types.gen.ts';

/** Every mounted operation. */
export type OperationId =
  | 'registerUser'
  | 'loginUser'
  | 'refreshTokens'
  | 'logoutUser'
  | 'getMe'
  | 'getUsage'
  | 'listProjects'
  | 'createProject'
  | 'getProject'
  | 'updateProject'
  | 'deleteProject'
  | 'getProjectSettings'
  | 'updateProjectSettings'
  | 'listTiers'
  | 'listTierLimits'
  | 'getHealth';

/** In the contract and not mounted yet (codegen/pending.json). */
export type PendingOperationId =
  | 'listSessions'
  | 'revokeOtherSessions'
  | 'revokeSession'
  | 'listDevices'
  | 'removeDevice'
  | 'createSessionToken'
  | 'consumeSessionToken'
  | 'createDeviceLink'
  | 'pollDeviceLink'
  | 'getDeviceLink'
  | 'approveDeviceLink'
  | 'denyDeviceLink'
  | 'changePassword'
  | 'forgotPassword'
  | 'resetPassword'
  | 'verifyEmail'
  | 'resendVerification'
  | 'requestEmailChange'
  | 'enrollTotp'
  | 'disableTotp'
  | 'confirmTotp'
  | 'regenerateRecoveryCodes'
  | 'verifyMfa'
  | 'updateMe'
  | 'requestAccountDeletion'
  | 'requestDataExport'
  | 'getDataExport'
  | 'getPreferences'
  | 'updatePreferences'
  | 'searchUsers'
  | 'transferProject'
  | 'listProjectMembers'
  | 'addProjectMember'
  | 'removeProjectMember'
  | 'listProjectTags'
  | 'createProjectTag'
  | 'updateProjectTag'
  | 'deleteProjectTag'
  | 'favoriteProject'
  | 'unfavoriteProject'
  | 'listProjectTemplates'
  | 'listProjectActivity'
  | 'listTasks'
  | 'createTask'
  | 'getTask'
  | 'updateTask'
  | 'deleteTask'
  | 'listLabels'
  | 'createLabel'
  | 'updateLabel'
  | 'deleteLabel'
  | 'attachLabel'
  | 'detachLabel'
  | 'listTaskDependencies'
  | 'addTaskDependency'
  | 'removeTaskDependency'
  | 'listAttachments'
  | 'createAttachment'
  | 'completeAttachment'
  | 'downloadAttachment'
  | 'deleteAttachment'
  | 'updateTierLimits';

type NoParameters = Readonly<Record<never, never>>;
type ReplyHeaders = Readonly<Record<string, string>>;
/** The fields K have a default in the contract, so a validated request always has them. */
type Filled<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: Exclude<T[P], undefined> };

export type RegisterUserRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.RegisterUserData['body']>>;
export type RegisterUserReply =
  | { readonly status: 201; readonly body: wire.RegisterUserResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type LoginUserRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.LoginUserData['body']>>;
export type LoginUserReply =
  | { readonly status: 200; readonly body: wire.LoginUserResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RefreshTokensRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.RefreshTokensData['body']>>;
export type RefreshTokensReply =
  | { readonly status: 200; readonly body: wire.RefreshTokensResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type LogoutUserRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type LogoutUserReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetMeRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetMeData['headers']>['If-None-Match']> }, undefined>;
export type GetMeReply =
  | { readonly status: 200; readonly body: wire.GetMeResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetUsageRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type GetUsageReply =
  | { readonly status: 200; readonly body: wire.GetUsageResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListProjectsRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListProjectsData['query']>, 'limit' | 'archived'>, NoParameters, undefined>;
export type ListProjectsReply =
  | { readonly status: 200; readonly body: wire.ListProjectsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateProjectRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateProjectData['headers']>['Idempotency-Key']> }, NonNullable<wire.CreateProjectData['body']>>;
export type CreateProjectReply =
  | { readonly status: 201; readonly body: wire.CreateProjectResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type GetProjectRequest = HandlerRequest<wire.GetProjectData['path'], NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetProjectData['headers']>['If-None-Match']> }, undefined>;
export type GetProjectReply =
  | { readonly status: 200; readonly body: wire.GetProjectResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdateProjectRequest = HandlerRequest<wire.UpdateProjectData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateProjectData['headers']>['If-Match']> }, NonNullable<wire.UpdateProjectData['body']>>;
export type UpdateProjectReply =
  | { readonly status: 200; readonly body: wire.UpdateProjectResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type DeleteProjectRequest = HandlerRequest<wire.DeleteProjectData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.DeleteProjectData['headers']>['If-Match']> }, undefined>;
export type DeleteProjectReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetProjectSettingsRequest = HandlerRequest<wire.GetProjectSettingsData['path'], NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetProjectSettingsData['headers']>['If-None-Match']> }, undefined>;
export type GetProjectSettingsReply =
  | { readonly status: 200; readonly body: wire.GetProjectSettingsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdateProjectSettingsRequest = HandlerRequest<wire.UpdateProjectSettingsData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateProjectSettingsData['headers']>['If-Match']> }, NonNullable<wire.UpdateProjectSettingsData['body']>>;
export type UpdateProjectSettingsReply =
  | { readonly status: 200; readonly body: wire.UpdateProjectSettingsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type ListTiersRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListTiersData['query']>, 'limit'>, NoParameters, undefined>;
export type ListTiersReply =
  | { readonly status: 200; readonly body: wire.ListTiersResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListTierLimitsRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListTierLimitsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListTierLimitsReply =
  | { readonly status: 200; readonly body: wire.ListTierLimitsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetHealthRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type GetHealthReply =
  | { readonly status: 200; readonly body: wire.GetHealthResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

/** What stands behind each operation. Errors are thrown (ServiceError), never returned. */
export interface Handlers {
  /** POST /auth/register */
  readonly registerUser: (request: RegisterUserRequest, call: Call) => Promise<RegisterUserReply>;
  /** POST /auth/login */
  readonly loginUser: (request: LoginUserRequest, call: Call) => Promise<LoginUserReply>;
  /** POST /auth/refresh */
  readonly refreshTokens: (request: RefreshTokensRequest, call: Call) => Promise<RefreshTokensReply>;
  /** POST /auth/logout */
  readonly logoutUser: (request: LogoutUserRequest, call: Call) => Promise<LogoutUserReply>;
  /** GET /users/me */
  readonly getMe: (request: GetMeRequest, call: Call) => Promise<GetMeReply>;
  /** GET /users/me/usage */
  readonly getUsage: (request: GetUsageRequest, call: Call) => Promise<GetUsageReply>;
  /** GET /projects */
  readonly listProjects: (request: ListProjectsRequest, call: Call) => Promise<ListProjectsReply>;
  /** POST /projects */
  readonly createProject: (request: CreateProjectRequest, call: Call) => Promise<CreateProjectReply>;
  /** GET /projects/{project_id} */
  readonly getProject: (request: GetProjectRequest, call: Call) => Promise<GetProjectReply>;
  /** PATCH /projects/{project_id} */
  readonly updateProject: (request: UpdateProjectRequest, call: Call) => Promise<UpdateProjectReply>;
  /** DELETE /projects/{project_id} */
  readonly deleteProject: (request: DeleteProjectRequest, call: Call) => Promise<DeleteProjectReply>;
  /** GET /projects/{project_id}/settings */
  readonly getProjectSettings: (request: GetProjectSettingsRequest, call: Call) => Promise<GetProjectSettingsReply>;
  /** PATCH /projects/{project_id}/settings */
  readonly updateProjectSettings: (request: UpdateProjectSettingsRequest, call: Call) => Promise<UpdateProjectSettingsReply>;
  /** GET /tiers */
  readonly listTiers: (request: ListTiersRequest, call: Call) => Promise<ListTiersReply>;
  /** GET /admin/tiers */
  readonly listTierLimits: (request: ListTierLimitsRequest, call: Call) => Promise<ListTierLimitsReply>;
  /** GET /health */
  readonly getHealth: (request: GetHealthRequest, call: Call) => Promise<GetHealthReply>;
}
