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
  | 'getMe'
  | 'updateMe'
  | 'requestAccountDeletion'
  | 'requestDataExport'
  | 'getDataExport'
  | 'getPreferences'
  | 'updatePreferences'
  | 'getUsage'
  | 'searchUsers'
  | 'listApiKeys'
  | 'createApiKey'
  | 'updateApiKey'
  | 'revokeApiKey'
  | 'rotateApiKey'
  | 'listTeams'
  | 'createTeam'
  | 'getTeam'
  | 'updateTeam'
  | 'deleteTeam'
  | 'listTeamMembers'
  | 'addTeamMember'
  | 'updateTeamMember'
  | 'removeTeamMember'
  | 'listProjects'
  | 'createProject'
  | 'getProject'
  | 'updateProject'
  | 'deleteProject'
  | 'transferProject'
  | 'getProjectSettings'
  | 'updateProjectSettings'
  | 'listProjectMembers'
  | 'addProjectMember'
  | 'removeProjectMember'
  | 'listMyInvitations'
  | 'createInvitation'
  | 'listProjectInvitations'
  | 'listTeamInvitations'
  | 'revokeInvitation'
  | 'acceptInvitation'
  | 'declineInvitation'
  | 'acceptInvitationByToken'
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
  | 'listComments'
  | 'createComment'
  | 'getComment'
  | 'updateComment'
  | 'deleteComment'
  | 'starComment'
  | 'unstarComment'
  | 'listNotifications'
  | 'countUnreadNotifications'
  | 'markNotificationRead'
  | 'markAllNotificationsRead'
  | 'streamNotifications'
  | 'search'
  | 'listPreviewSdks'
  | 'requestPreview'
  | 'listMissingBlobs'
  | 'startPreviewJob'
  | 'buildPreview'
  | 'listPreviewJobs'
  | 'getPreviewJob'
  | 'deletePreviewJob'
  | 'cancelPreviewJob'
  | 'getPreviewLogs'
  | 'streamPreviewJob'
  | 'listPreviewArtifacts'
  | 'createPreviewToken'
  | 'listPreviewShares'
  | 'sharePreview'
  | 'revokePreviewShare'
  | 'createPreviewSession'
  | 'getPreviewSession'
  | 'uploadPreviewBundle'
  | 'createLiveSession'
  | 'pushLiveChanges'
  | 'streamLiveSession'
  | 'endLiveSession'
  | 'viewPreview'
  | 'streamPreviewView'
  | 'getPreviewManifest'
  | 'reportPreviewResult'
  | 'reportAiResult'
  | 'reportRepoSync'
  | 'registerWorker'
  | 'reportHeartbeat'
  | 'claimJob'
  | 'reportJobProgress'
  | 'createJobUploads'
  | 'reportJobResult'
  | 'listWebhooks'
  | 'createWebhook'
  | 'getWebhook'
  | 'updateWebhook'
  | 'deleteWebhook'
  | 'rotateWebhookSecret'
  | 'testWebhook'
  | 'redeliverSince'
  | 'listDeliveries'
  | 'getDelivery'
  | 'redeliverDelivery'
  | 'listTiers'
  | 'listUsers'
  | 'getUser'
  | 'setUserTier'
  | 'suspendUser'
  | 'unsuspendUser'
  | 'listWorkers'
  | 'getQueueStats'
  | 'listDeadJobs'
  | 'retryDeadJob'
  | 'getPreviewStats'
  | 'getScalingRules'
  | 'updateScalingRules'
  | 'listScalingEvents'
  | 'listTierLimits'
  | 'updateTierLimits'
  | 'getHealth'
  | 'getDeepHealth'
  | 'getDbHealth'
  | 'getRedisHealth';

/** In the contract and not mounted yet (codegen/pending.json). */
export type PendingOperationId =
  | 'listAiJobs'
  | 'createAiJob'
  | 'getAiJob'
  | 'cancelAiJob'
  | 'streamAiJob'
  | 'listDocHistory'
  | 'listRefactorJobs'
  | 'createRefactorJob'
  | 'getRefactorJob'
  | 'cancelRefactorJob'
  | 'streamRefactorJob'
  | 'getRepo'
  | 'connectRepo'
  | 'disconnectRepo'
  | 'syncRepo'
  | 'getRepoSync'
  | 'receiveRepoPush'
  | 'getProjectManifest'
  | 'diffProjectManifests'
  | 'listFiles'
  | 'getFileContent'
  | 'getSubscription'
  | 'createCheckout'
  | 'createPortalSession'
  | 'receiveLemonSqueezyEvent'
  | 'listSamples'
  | 'getSample'
  | 'downloadSample'
  | 'checkSampleUpdates'
  | 'listFaq'
  | 'askFaq'
  | 'getAiStats'
  | 'getOverviewStats'
  | 'listAuditLogs'
  | 'exportDataset'
  | 'listAlerts'
  | 'sendTestAlert'
  | 'listFaqEntries'
  | 'createFaqEntry'
  | 'updateFaqEntry'
  | 'deleteFaqEntry'
  | 'listUnansweredQuestions'
  | 'resolveUnansweredQuestion'
  | 'listAllSamples'
  | 'createSample'
  | 'updateSample'
  | 'deleteSample'
  | 'uploadSampleArchive';

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

export type ListSessionsRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListSessionsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListSessionsReply =
  | { readonly status: 200; readonly body: wire.ListSessionsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RevokeOtherSessionsRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type RevokeOtherSessionsReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RevokeSessionRequest = HandlerRequest<wire.RevokeSessionData['path'], NoParameters, NoParameters, undefined>;
export type RevokeSessionReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListDevicesRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListDevicesData['query']>, 'limit'>, NoParameters, undefined>;
export type ListDevicesReply =
  | { readonly status: 200; readonly body: wire.ListDevicesResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RemoveDeviceRequest = HandlerRequest<wire.RemoveDeviceData['path'], NoParameters, NoParameters, undefined>;
export type RemoveDeviceReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateSessionTokenRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateSessionTokenData['headers']>['Idempotency-Key']> }, undefined>;
export type CreateSessionTokenReply =
  | { readonly status: 200; readonly body: wire.CreateSessionTokenResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ConsumeSessionTokenRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.ConsumeSessionTokenData['body']>>;
export type ConsumeSessionTokenReply =
  | { readonly status: 200; readonly body: wire.ConsumeSessionTokenResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateDeviceLinkRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.CreateDeviceLinkData['body']>>;
export type CreateDeviceLinkReply =
  | { readonly status: 200; readonly body: wire.CreateDeviceLinkResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type PollDeviceLinkRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.PollDeviceLinkData['body']>>;
export type PollDeviceLinkReply =
  | { readonly status: 200; readonly body: wire.PollDeviceLinkResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetDeviceLinkRequest = HandlerRequest<wire.GetDeviceLinkData['path'], NoParameters, NoParameters, undefined>;
export type GetDeviceLinkReply =
  | { readonly status: 200; readonly body: wire.GetDeviceLinkResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ApproveDeviceLinkRequest = HandlerRequest<wire.ApproveDeviceLinkData['path'], NoParameters, NoParameters, undefined>;
export type ApproveDeviceLinkReply =
  | { readonly status: 200; readonly body: wire.ApproveDeviceLinkResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type DenyDeviceLinkRequest = HandlerRequest<wire.DenyDeviceLinkData['path'], NoParameters, NoParameters, undefined>;
export type DenyDeviceLinkReply =
  | { readonly status: 200; readonly body: wire.DenyDeviceLinkResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ChangePasswordRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.ChangePasswordData['body']>>;
export type ChangePasswordReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ForgotPasswordRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.ForgotPasswordData['body']>>;
export type ForgotPasswordReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ResetPasswordRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.ResetPasswordData['body']>>;
export type ResetPasswordReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type VerifyEmailRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.VerifyEmailData['body']>>;
export type VerifyEmailReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ResendVerificationRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type ResendVerificationReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RequestEmailChangeRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.RequestEmailChangeData['body']>>;
export type RequestEmailChangeReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type EnrollTotpRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.EnrollTotpData['headers']>['Idempotency-Key']> }, NonNullable<wire.EnrollTotpData['body']>>;
export type EnrollTotpReply =
  | { readonly status: 200; readonly body: wire.EnrollTotpResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type DisableTotpRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type DisableTotpReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ConfirmTotpRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.ConfirmTotpData['headers']>['Idempotency-Key']> }, NonNullable<wire.ConfirmTotpData['body']>>;
export type ConfirmTotpReply =
  | { readonly status: 200; readonly body: wire.ConfirmTotpResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RegenerateRecoveryCodesRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.RegenerateRecoveryCodesData['headers']>['Idempotency-Key']> }, NonNullable<wire.RegenerateRecoveryCodesData['body']>>;
export type RegenerateRecoveryCodesReply =
  | { readonly status: 200; readonly body: wire.RegenerateRecoveryCodesResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type VerifyMfaRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.VerifyMfaData['body']>>;
export type VerifyMfaReply =
  | { readonly status: 200; readonly body: wire.VerifyMfaResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetMeRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetMeData['headers']>['If-None-Match']> }, undefined>;
export type GetMeReply =
  | { readonly status: 200; readonly body: wire.GetMeResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdateMeRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateMeData['headers']>['If-Match']> }, NonNullable<wire.UpdateMeData['body']>>;
export type UpdateMeReply =
  | { readonly status: 200; readonly body: wire.UpdateMeResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type RequestAccountDeletionRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.RequestAccountDeletionData['body']>>;
export type RequestAccountDeletionReply =
  | { readonly status: 200; readonly body: wire.RequestAccountDeletionResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RequestDataExportRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.RequestDataExportData['headers']>['Idempotency-Key']> }, undefined>;
export type RequestDataExportReply =
  | { readonly status: 202; readonly body: wire.RequestDataExportResponses[202]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type GetDataExportRequest = HandlerRequest<wire.GetDataExportData['path'], NoParameters, NoParameters, undefined>;
export type GetDataExportReply =
  | { readonly status: 200; readonly body: wire.GetDataExportResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetPreferencesRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetPreferencesData['headers']>['If-None-Match']> }, undefined>;
export type GetPreferencesReply =
  | { readonly status: 200; readonly body: wire.GetPreferencesResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdatePreferencesRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdatePreferencesData['headers']>['If-Match']> }, NonNullable<wire.UpdatePreferencesData['body']>>;
export type UpdatePreferencesReply =
  | { readonly status: 200; readonly body: wire.UpdatePreferencesResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type GetUsageRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type GetUsageReply =
  | { readonly status: 200; readonly body: wire.GetUsageResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type SearchUsersRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.SearchUsersData['query']>, 'limit'>, NoParameters, undefined>;
export type SearchUsersReply =
  | { readonly status: 200; readonly body: wire.SearchUsersResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListApiKeysRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListApiKeysData['query']>, 'limit'>, NoParameters, undefined>;
export type ListApiKeysReply =
  | { readonly status: 200; readonly body: wire.ListApiKeysResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateApiKeyRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateApiKeyData['headers']>['Idempotency-Key']> }, NonNullable<wire.CreateApiKeyData['body']>>;
export type CreateApiKeyReply =
  | { readonly status: 201; readonly body: wire.CreateApiKeyResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag: string };

export type UpdateApiKeyRequest = HandlerRequest<wire.UpdateApiKeyData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateApiKeyData['headers']>['If-Match']> }, NonNullable<wire.UpdateApiKeyData['body']>>;
export type UpdateApiKeyReply =
  | { readonly status: 200; readonly body: wire.UpdateApiKeyResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type RevokeApiKeyRequest = HandlerRequest<wire.RevokeApiKeyData['path'], NoParameters, NoParameters, undefined>;
export type RevokeApiKeyReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RotateApiKeyRequest = HandlerRequest<wire.RotateApiKeyData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.RotateApiKeyData['headers']>['Idempotency-Key']> }, NonNullable<wire.RotateApiKeyData['body']>>;
export type RotateApiKeyReply =
  | { readonly status: 201; readonly body: wire.RotateApiKeyResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag: string };

export type ListTeamsRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListTeamsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListTeamsReply =
  | { readonly status: 200; readonly body: wire.ListTeamsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateTeamRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateTeamData['headers']>['Idempotency-Key']> }, NonNullable<wire.CreateTeamData['body']>>;
export type CreateTeamReply =
  | { readonly status: 201; readonly body: wire.CreateTeamResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag: string };

export type GetTeamRequest = HandlerRequest<wire.GetTeamData['path'], NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetTeamData['headers']>['If-None-Match']> }, undefined>;
export type GetTeamReply =
  | { readonly status: 200; readonly body: wire.GetTeamResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdateTeamRequest = HandlerRequest<wire.UpdateTeamData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateTeamData['headers']>['If-Match']> }, NonNullable<wire.UpdateTeamData['body']>>;
export type UpdateTeamReply =
  | { readonly status: 200; readonly body: wire.UpdateTeamResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type DeleteTeamRequest = HandlerRequest<wire.DeleteTeamData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.DeleteTeamData['headers']>['If-Match']> }, undefined>;
export type DeleteTeamReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListTeamMembersRequest = HandlerRequest<wire.ListTeamMembersData['path'], Filled<NonNullable<wire.ListTeamMembersData['query']>, 'limit'>, NoParameters, undefined>;
export type ListTeamMembersReply =
  | { readonly status: 200; readonly body: wire.ListTeamMembersResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type AddTeamMemberRequest = HandlerRequest<wire.AddTeamMemberData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.AddTeamMemberData['headers']>['Idempotency-Key']> }, Filled<NonNullable<wire.AddTeamMemberData['body']>, 'role'>>;
export type AddTeamMemberReply =
  | { readonly status: 201; readonly body: wire.AddTeamMemberResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag: string };

export type UpdateTeamMemberRequest = HandlerRequest<wire.UpdateTeamMemberData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateTeamMemberData['headers']>['If-Match']> }, NonNullable<wire.UpdateTeamMemberData['body']>>;
export type UpdateTeamMemberReply =
  | { readonly status: 200; readonly body: wire.UpdateTeamMemberResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type RemoveTeamMemberRequest = HandlerRequest<wire.RemoveTeamMemberData['path'], NoParameters, NoParameters, undefined>;
export type RemoveTeamMemberReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

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

export type TransferProjectRequest = HandlerRequest<wire.TransferProjectData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.TransferProjectData['headers']>['Idempotency-Key']> }, NonNullable<wire.TransferProjectData['body']>>;
export type TransferProjectReply =
  | { readonly status: 200; readonly body: wire.TransferProjectResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetProjectSettingsRequest = HandlerRequest<wire.GetProjectSettingsData['path'], NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetProjectSettingsData['headers']>['If-None-Match']> }, undefined>;
export type GetProjectSettingsReply =
  | { readonly status: 200; readonly body: wire.GetProjectSettingsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdateProjectSettingsRequest = HandlerRequest<wire.UpdateProjectSettingsData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateProjectSettingsData['headers']>['If-Match']> }, NonNullable<wire.UpdateProjectSettingsData['body']>>;
export type UpdateProjectSettingsReply =
  | { readonly status: 200; readonly body: wire.UpdateProjectSettingsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type ListProjectMembersRequest = HandlerRequest<wire.ListProjectMembersData['path'], Filled<NonNullable<wire.ListProjectMembersData['query']>, 'limit'>, NoParameters, undefined>;
export type ListProjectMembersReply =
  | { readonly status: 200; readonly body: wire.ListProjectMembersResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type AddProjectMemberRequest = HandlerRequest<wire.AddProjectMemberData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.AddProjectMemberData['headers']>['Idempotency-Key']> }, NonNullable<wire.AddProjectMemberData['body']>>;
export type AddProjectMemberReply =
  | { readonly status: 201; readonly body: wire.AddProjectMemberResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type RemoveProjectMemberRequest = HandlerRequest<wire.RemoveProjectMemberData['path'], NoParameters, NoParameters, undefined>;
export type RemoveProjectMemberReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListMyInvitationsRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListMyInvitationsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListMyInvitationsReply =
  | { readonly status: 200; readonly body: wire.ListMyInvitationsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateInvitationRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateInvitationData['headers']>['Idempotency-Key']> }, NonNullable<wire.CreateInvitationData['body']>>;
export type CreateInvitationReply =
  | { readonly status: 201; readonly body: wire.CreateInvitationResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type ListProjectInvitationsRequest = HandlerRequest<wire.ListProjectInvitationsData['path'], Filled<NonNullable<wire.ListProjectInvitationsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListProjectInvitationsReply =
  | { readonly status: 200; readonly body: wire.ListProjectInvitationsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListTeamInvitationsRequest = HandlerRequest<wire.ListTeamInvitationsData['path'], Filled<NonNullable<wire.ListTeamInvitationsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListTeamInvitationsReply =
  | { readonly status: 200; readonly body: wire.ListTeamInvitationsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RevokeInvitationRequest = HandlerRequest<wire.RevokeInvitationData['path'], NoParameters, NoParameters, undefined>;
export type RevokeInvitationReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type AcceptInvitationRequest = HandlerRequest<wire.AcceptInvitationData['path'], NoParameters, NoParameters, undefined>;
export type AcceptInvitationReply =
  | { readonly status: 200; readonly body: wire.AcceptInvitationResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type DeclineInvitationRequest = HandlerRequest<wire.DeclineInvitationData['path'], NoParameters, NoParameters, undefined>;
export type DeclineInvitationReply =
  | { readonly status: 200; readonly body: wire.DeclineInvitationResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type AcceptInvitationByTokenRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.AcceptInvitationByTokenData['body']>>;
export type AcceptInvitationByTokenReply =
  | { readonly status: 200; readonly body: wire.AcceptInvitationByTokenResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListProjectTagsRequest = HandlerRequest<wire.ListProjectTagsData['path'], Filled<NonNullable<wire.ListProjectTagsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListProjectTagsReply =
  | { readonly status: 200; readonly body: wire.ListProjectTagsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateProjectTagRequest = HandlerRequest<wire.CreateProjectTagData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateProjectTagData['headers']>['Idempotency-Key']> }, NonNullable<wire.CreateProjectTagData['body']>>;
export type CreateProjectTagReply =
  | { readonly status: 201; readonly body: wire.CreateProjectTagResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag: string };

export type UpdateProjectTagRequest = HandlerRequest<wire.UpdateProjectTagData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateProjectTagData['headers']>['If-Match']> }, NonNullable<wire.UpdateProjectTagData['body']>>;
export type UpdateProjectTagReply =
  | { readonly status: 200; readonly body: wire.UpdateProjectTagResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type DeleteProjectTagRequest = HandlerRequest<wire.DeleteProjectTagData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.DeleteProjectTagData['headers']>['If-Match']> }, undefined>;
export type DeleteProjectTagReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type FavoriteProjectRequest = HandlerRequest<wire.FavoriteProjectData['path'], NoParameters, NoParameters, undefined>;
export type FavoriteProjectReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UnfavoriteProjectRequest = HandlerRequest<wire.UnfavoriteProjectData['path'], NoParameters, NoParameters, undefined>;
export type UnfavoriteProjectReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListProjectTemplatesRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListProjectTemplatesData['query']>, 'limit'>, NoParameters, undefined>;
export type ListProjectTemplatesReply =
  | { readonly status: 200; readonly body: wire.ListProjectTemplatesResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListProjectActivityRequest = HandlerRequest<wire.ListProjectActivityData['path'], Filled<NonNullable<wire.ListProjectActivityData['query']>, 'limit'>, NoParameters, undefined>;
export type ListProjectActivityReply =
  | { readonly status: 200; readonly body: wire.ListProjectActivityResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListTasksRequest = HandlerRequest<wire.ListTasksData['path'], Filled<NonNullable<wire.ListTasksData['query']>, 'limit' | 'sort'>, NoParameters, undefined>;
export type ListTasksReply =
  | { readonly status: 200; readonly body: wire.ListTasksResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateTaskRequest = HandlerRequest<wire.CreateTaskData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateTaskData['headers']>['Idempotency-Key']> }, Filled<NonNullable<wire.CreateTaskData['body']>, 'status'>>;
export type CreateTaskReply =
  | { readonly status: 201; readonly body: wire.CreateTaskResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag: string };

export type GetTaskRequest = HandlerRequest<wire.GetTaskData['path'], NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetTaskData['headers']>['If-None-Match']> }, undefined>;
export type GetTaskReply =
  | { readonly status: 200; readonly body: wire.GetTaskResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdateTaskRequest = HandlerRequest<wire.UpdateTaskData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateTaskData['headers']>['If-Match']> }, NonNullable<wire.UpdateTaskData['body']>>;
export type UpdateTaskReply =
  | { readonly status: 200; readonly body: wire.UpdateTaskResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type DeleteTaskRequest = HandlerRequest<wire.DeleteTaskData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.DeleteTaskData['headers']>['If-Match']> }, undefined>;
export type DeleteTaskReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListLabelsRequest = HandlerRequest<wire.ListLabelsData['path'], Filled<NonNullable<wire.ListLabelsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListLabelsReply =
  | { readonly status: 200; readonly body: wire.ListLabelsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateLabelRequest = HandlerRequest<wire.CreateLabelData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateLabelData['headers']>['Idempotency-Key']> }, NonNullable<wire.CreateLabelData['body']>>;
export type CreateLabelReply =
  | { readonly status: 201; readonly body: wire.CreateLabelResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag: string };

export type UpdateLabelRequest = HandlerRequest<wire.UpdateLabelData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateLabelData['headers']>['If-Match']> }, NonNullable<wire.UpdateLabelData['body']>>;
export type UpdateLabelReply =
  | { readonly status: 200; readonly body: wire.UpdateLabelResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type DeleteLabelRequest = HandlerRequest<wire.DeleteLabelData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.DeleteLabelData['headers']>['If-Match']> }, undefined>;
export type DeleteLabelReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type AttachLabelRequest = HandlerRequest<wire.AttachLabelData['path'], NoParameters, NoParameters, undefined>;
export type AttachLabelReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type DetachLabelRequest = HandlerRequest<wire.DetachLabelData['path'], NoParameters, NoParameters, undefined>;
export type DetachLabelReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListTaskDependenciesRequest = HandlerRequest<wire.ListTaskDependenciesData['path'], Filled<NonNullable<wire.ListTaskDependenciesData['query']>, 'limit'>, NoParameters, undefined>;
export type ListTaskDependenciesReply =
  | { readonly status: 200; readonly body: wire.ListTaskDependenciesResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type AddTaskDependencyRequest = HandlerRequest<wire.AddTaskDependencyData['path'], NoParameters, NoParameters, undefined>;
export type AddTaskDependencyReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RemoveTaskDependencyRequest = HandlerRequest<wire.RemoveTaskDependencyData['path'], NoParameters, NoParameters, undefined>;
export type RemoveTaskDependencyReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListAttachmentsRequest = HandlerRequest<wire.ListAttachmentsData['path'], Filled<NonNullable<wire.ListAttachmentsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListAttachmentsReply =
  | { readonly status: 200; readonly body: wire.ListAttachmentsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateAttachmentRequest = HandlerRequest<wire.CreateAttachmentData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateAttachmentData['headers']>['Idempotency-Key']> }, NonNullable<wire.CreateAttachmentData['body']>>;
export type CreateAttachmentReply =
  | { readonly status: 201; readonly body: wire.CreateAttachmentResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type CompleteAttachmentRequest = HandlerRequest<wire.CompleteAttachmentData['path'], NoParameters, NoParameters, undefined>;
export type CompleteAttachmentReply =
  | { readonly status: 200; readonly body: wire.CompleteAttachmentResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type DownloadAttachmentRequest = HandlerRequest<wire.DownloadAttachmentData['path'], NoParameters, NoParameters, undefined>;
export type DownloadAttachmentReply =
  | { readonly status: 200; readonly body: wire.DownloadAttachmentResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type DeleteAttachmentRequest = HandlerRequest<wire.DeleteAttachmentData['path'], NoParameters, NoParameters, undefined>;
export type DeleteAttachmentReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListCommentsRequest = HandlerRequest<wire.ListCommentsData['path'], Filled<NonNullable<wire.ListCommentsData['query']>, 'limit' | 'sort'>, NoParameters, undefined>;
export type ListCommentsReply =
  | { readonly status: 200; readonly body: wire.ListCommentsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateCommentRequest = HandlerRequest<wire.CreateCommentData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateCommentData['headers']>['Idempotency-Key']> }, NonNullable<wire.CreateCommentData['body']>>;
export type CreateCommentReply =
  | { readonly status: 201; readonly body: wire.CreateCommentResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag: string };

export type GetCommentRequest = HandlerRequest<wire.GetCommentData['path'], NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetCommentData['headers']>['If-None-Match']> }, undefined>;
export type GetCommentReply =
  | { readonly status: 200; readonly body: wire.GetCommentResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdateCommentRequest = HandlerRequest<wire.UpdateCommentData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateCommentData['headers']>['If-Match']> }, NonNullable<wire.UpdateCommentData['body']>>;
export type UpdateCommentReply =
  | { readonly status: 200; readonly body: wire.UpdateCommentResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type DeleteCommentRequest = HandlerRequest<wire.DeleteCommentData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.DeleteCommentData['headers']>['If-Match']> }, undefined>;
export type DeleteCommentReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type StarCommentRequest = HandlerRequest<wire.StarCommentData['path'], NoParameters, NoParameters, undefined>;
export type StarCommentReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UnstarCommentRequest = HandlerRequest<wire.UnstarCommentData['path'], NoParameters, NoParameters, undefined>;
export type UnstarCommentReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListNotificationsRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListNotificationsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListNotificationsReply =
  | { readonly status: 200; readonly body: wire.ListNotificationsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CountUnreadNotificationsRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type CountUnreadNotificationsReply =
  | { readonly status: 200; readonly body: wire.CountUnreadNotificationsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type MarkNotificationReadRequest = HandlerRequest<wire.MarkNotificationReadData['path'], NoParameters, NoParameters, undefined>;
export type MarkNotificationReadReply =
  | { readonly status: 200; readonly body: wire.MarkNotificationReadResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type MarkAllNotificationsReadRequest = HandlerRequest<NoParameters, NonNullable<wire.MarkAllNotificationsReadData['query']>, NoParameters, undefined>;
export type MarkAllNotificationsReadReply =
  | { readonly status: 200; readonly body: wire.MarkAllNotificationsReadResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type StreamNotificationsRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'last-event-id'?: NonNullable<NonNullable<wire.StreamNotificationsData['headers']>['Last-Event-ID']> }, undefined>;
export type StreamNotificationsReply =
  | { readonly status: 200; readonly events: AsyncIterable<StreamEvent>; readonly headers?: ReplyHeaders; readonly etag?: string };

export type SearchRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.SearchData['query']>, 'limit'>, NoParameters, undefined>;
export type SearchReply =
  | { readonly status: 200; readonly body: wire.SearchResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListPreviewSdksRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListPreviewSdksData['query']>, 'limit'>, NoParameters, undefined>;
export type ListPreviewSdksReply =
  | { readonly status: 200; readonly body: wire.ListPreviewSdksResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RequestPreviewRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.RequestPreviewData['headers']>['Idempotency-Key']> }, NonNullable<wire.RequestPreviewData['body']>>;
export type RequestPreviewReply =
  | { readonly status: 202; readonly body: wire.RequestPreviewResponses[202]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type ListMissingBlobsRequest = HandlerRequest<wire.ListMissingBlobsData['path'], Filled<NonNullable<wire.ListMissingBlobsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListMissingBlobsReply =
  | { readonly status: 200; readonly body: wire.ListMissingBlobsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type StartPreviewJobRequest = HandlerRequest<wire.StartPreviewJobData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.StartPreviewJobData['headers']>['Idempotency-Key']> }, undefined>;
export type StartPreviewJobReply =
  | { readonly status: 202; readonly body: wire.StartPreviewJobResponses[202]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type BuildPreviewRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.BuildPreviewData['headers']>['Idempotency-Key']> }, NonNullable<wire.BuildPreviewData['body']>>;
export type BuildPreviewReply =
  | { readonly status: 200; readonly body: wire.BuildPreviewResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListPreviewJobsRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListPreviewJobsData['query']>, 'limit' | 'mine'>, NoParameters, undefined>;
export type ListPreviewJobsReply =
  | { readonly status: 200; readonly body: wire.ListPreviewJobsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetPreviewJobRequest = HandlerRequest<wire.GetPreviewJobData['path'], NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetPreviewJobData['headers']>['If-None-Match']> }, undefined>;
export type GetPreviewJobReply =
  | { readonly status: 200; readonly body: wire.GetPreviewJobResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type DeletePreviewJobRequest = HandlerRequest<wire.DeletePreviewJobData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.DeletePreviewJobData['headers']>['If-Match']> }, undefined>;
export type DeletePreviewJobReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CancelPreviewJobRequest = HandlerRequest<wire.CancelPreviewJobData['path'], NoParameters, NoParameters, undefined>;
export type CancelPreviewJobReply =
  | { readonly status: 200; readonly body: wire.CancelPreviewJobResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetPreviewLogsRequest = HandlerRequest<wire.GetPreviewLogsData['path'], Filled<NonNullable<wire.GetPreviewLogsData['query']>, 'limit'>, NoParameters, undefined>;
export type GetPreviewLogsReply =
  | { readonly status: 200; readonly body: wire.GetPreviewLogsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type StreamPreviewJobRequest = HandlerRequest<wire.StreamPreviewJobData['path'], NoParameters, { readonly 'last-event-id'?: NonNullable<NonNullable<wire.StreamPreviewJobData['headers']>['Last-Event-ID']> }, undefined>;
export type StreamPreviewJobReply =
  | { readonly status: 200; readonly events: AsyncIterable<StreamEvent>; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListPreviewArtifactsRequest = HandlerRequest<wire.ListPreviewArtifactsData['path'], Filled<NonNullable<wire.ListPreviewArtifactsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListPreviewArtifactsReply =
  | { readonly status: 200; readonly body: wire.ListPreviewArtifactsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreatePreviewTokenRequest = HandlerRequest<wire.CreatePreviewTokenData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreatePreviewTokenData['headers']>['Idempotency-Key']> }, undefined>;
export type CreatePreviewTokenReply =
  | { readonly status: 201; readonly body: wire.CreatePreviewTokenResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type ListPreviewSharesRequest = HandlerRequest<wire.ListPreviewSharesData['path'], Filled<NonNullable<wire.ListPreviewSharesData['query']>, 'limit'>, NoParameters, undefined>;
export type ListPreviewSharesReply =
  | { readonly status: 200; readonly body: wire.ListPreviewSharesResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type SharePreviewRequest = HandlerRequest<wire.SharePreviewData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.SharePreviewData['headers']>['Idempotency-Key']> }, NonNullable<wire.SharePreviewData['body']>>;
export type SharePreviewReply =
  | { readonly status: 201; readonly body: wire.SharePreviewResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type RevokePreviewShareRequest = HandlerRequest<wire.RevokePreviewShareData['path'], NoParameters, NoParameters, undefined>;
export type RevokePreviewShareReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreatePreviewSessionRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreatePreviewSessionData['headers']>['Idempotency-Key']> }, NonNullable<wire.CreatePreviewSessionData['body']>>;
export type CreatePreviewSessionReply =
  | { readonly status: 201; readonly body: wire.CreatePreviewSessionResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type GetPreviewSessionRequest = HandlerRequest<wire.GetPreviewSessionData['path'], NoParameters, NoParameters, undefined>;
export type GetPreviewSessionReply =
  | { readonly status: 200; readonly body: wire.GetPreviewSessionResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UploadPreviewBundleRequest = HandlerRequest<wire.UploadPreviewBundleData['path'], NoParameters, NoParameters, undefined>;
export type UploadPreviewBundleReply =
  | { readonly status: 201; readonly body: wire.UploadPreviewBundleResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type CreateLiveSessionRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateLiveSessionData['headers']>['Idempotency-Key']> }, NonNullable<wire.CreateLiveSessionData['body']>>;
export type CreateLiveSessionReply =
  | { readonly status: 201; readonly body: wire.CreateLiveSessionResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type PushLiveChangesRequest = HandlerRequest<wire.PushLiveChangesData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.PushLiveChangesData['headers']>['Idempotency-Key']> }, NonNullable<wire.PushLiveChangesData['body']>>;
export type PushLiveChangesReply =
  | { readonly status: 202; readonly body: wire.PushLiveChangesResponses[202]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type StreamLiveSessionRequest = HandlerRequest<wire.StreamLiveSessionData['path'], NonNullable<wire.StreamLiveSessionData['query']>, { readonly 'last-event-id'?: NonNullable<NonNullable<wire.StreamLiveSessionData['headers']>['Last-Event-ID']> }, undefined>;
export type StreamLiveSessionReply =
  | { readonly status: 200; readonly events: AsyncIterable<StreamEvent>; readonly headers?: ReplyHeaders; readonly etag?: string };

export type EndLiveSessionRequest = HandlerRequest<wire.EndLiveSessionData['path'], NoParameters, NoParameters, undefined>;
export type EndLiveSessionReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ViewPreviewRequest = HandlerRequest<wire.ViewPreviewData['path'], NoParameters, NoParameters, undefined>;
export type ViewPreviewReply =
  | { readonly status: 200; readonly stream: Readable; readonly headers?: ReplyHeaders; readonly etag?: string };

export type StreamPreviewViewRequest = HandlerRequest<wire.StreamPreviewViewData['path'], NoParameters, { readonly 'last-event-id'?: NonNullable<NonNullable<wire.StreamPreviewViewData['headers']>['Last-Event-ID']> }, undefined>;
export type StreamPreviewViewReply =
  | { readonly status: 200; readonly events: AsyncIterable<StreamEvent>; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetPreviewManifestRequest = HandlerRequest<NoParameters, NonNullable<wire.GetPreviewManifestData['query']>, { readonly 'expo-platform'?: NonNullable<NonNullable<wire.GetPreviewManifestData['headers']>['expo-platform']>; readonly 'expo-protocol-version'?: NonNullable<NonNullable<wire.GetPreviewManifestData['headers']>['expo-protocol-version']>; readonly 'expo-runtime-version'?: NonNullable<NonNullable<wire.GetPreviewManifestData['headers']>['expo-runtime-version']>; readonly 'expo-expect-signature'?: NonNullable<NonNullable<wire.GetPreviewManifestData['headers']>['expo-expect-signature']> }, undefined>;
export type GetPreviewManifestReply =
  | { readonly status: 200; readonly stream: Readable; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ReportPreviewResultRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'x-hivesync-node'?: NonNullable<NonNullable<wire.ReportPreviewResultData['headers']>['X-HiveSync-Node']>; readonly 'x-hivesync-timestamp'?: NonNullable<NonNullable<wire.ReportPreviewResultData['headers']>['X-HiveSync-Timestamp']> }, NonNullable<wire.ReportPreviewResultData['body']>>;
export type ReportPreviewResultReply =
  | { readonly status: 200; readonly body: wire.ReportPreviewResultResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ReportAiResultRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'x-hivesync-node'?: NonNullable<NonNullable<wire.ReportAiResultData['headers']>['X-HiveSync-Node']>; readonly 'x-hivesync-timestamp'?: NonNullable<NonNullable<wire.ReportAiResultData['headers']>['X-HiveSync-Timestamp']> }, NonNullable<wire.ReportAiResultData['body']>>;
export type ReportAiResultReply =
  | { readonly status: 200; readonly body: wire.ReportAiResultResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ReportRepoSyncRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'x-hivesync-node'?: NonNullable<NonNullable<wire.ReportRepoSyncData['headers']>['X-HiveSync-Node']>; readonly 'x-hivesync-timestamp'?: NonNullable<NonNullable<wire.ReportRepoSyncData['headers']>['X-HiveSync-Timestamp']> }, NonNullable<wire.ReportRepoSyncData['body']>>;
export type ReportRepoSyncReply =
  | { readonly status: 200; readonly body: wire.ReportRepoSyncResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RegisterWorkerRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'x-hivesync-node'?: NonNullable<NonNullable<wire.RegisterWorkerData['headers']>['X-HiveSync-Node']>; readonly 'x-hivesync-timestamp'?: NonNullable<NonNullable<wire.RegisterWorkerData['headers']>['X-HiveSync-Timestamp']> }, NonNullable<wire.RegisterWorkerData['body']>>;
export type RegisterWorkerReply =
  | { readonly status: 200; readonly body: wire.RegisterWorkerResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ReportHeartbeatRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'x-hivesync-node'?: NonNullable<NonNullable<wire.ReportHeartbeatData['headers']>['X-HiveSync-Node']>; readonly 'x-hivesync-timestamp'?: NonNullable<NonNullable<wire.ReportHeartbeatData['headers']>['X-HiveSync-Timestamp']> }, NonNullable<wire.ReportHeartbeatData['body']>>;
export type ReportHeartbeatReply =
  | { readonly status: 200; readonly body: wire.ReportHeartbeatResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ClaimJobRequest = HandlerRequest<wire.ClaimJobData['path'], NoParameters, { readonly 'x-hivesync-node'?: NonNullable<NonNullable<wire.ClaimJobData['headers']>['X-HiveSync-Node']>; readonly 'x-hivesync-timestamp'?: NonNullable<NonNullable<wire.ClaimJobData['headers']>['X-HiveSync-Timestamp']> }, NonNullable<wire.ClaimJobData['body']>>;
export type ClaimJobReply =
  | { readonly status: 200; readonly body: wire.ClaimJobResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ReportJobProgressRequest = HandlerRequest<wire.ReportJobProgressData['path'], NoParameters, { readonly 'x-hivesync-node'?: NonNullable<NonNullable<wire.ReportJobProgressData['headers']>['X-HiveSync-Node']>; readonly 'x-hivesync-timestamp'?: NonNullable<NonNullable<wire.ReportJobProgressData['headers']>['X-HiveSync-Timestamp']> }, Filled<NonNullable<wire.ReportJobProgressData['body']>, 'wait_ms'>>;
export type ReportJobProgressReply =
  | { readonly status: 200; readonly body: wire.ReportJobProgressResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateJobUploadsRequest = HandlerRequest<wire.CreateJobUploadsData['path'], NoParameters, { readonly 'x-hivesync-node'?: NonNullable<NonNullable<wire.CreateJobUploadsData['headers']>['X-HiveSync-Node']>; readonly 'x-hivesync-timestamp'?: NonNullable<NonNullable<wire.CreateJobUploadsData['headers']>['X-HiveSync-Timestamp']> }, NonNullable<wire.CreateJobUploadsData['body']>>;
export type CreateJobUploadsReply =
  | { readonly status: 200; readonly body: wire.CreateJobUploadsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ReportJobResultRequest = HandlerRequest<NoParameters, NoParameters, { readonly 'x-hivesync-node'?: NonNullable<NonNullable<wire.ReportJobResultData['headers']>['X-HiveSync-Node']>; readonly 'x-hivesync-timestamp'?: NonNullable<NonNullable<wire.ReportJobResultData['headers']>['X-HiveSync-Timestamp']> }, NonNullable<wire.ReportJobResultData['body']>>;
export type ReportJobResultReply =
  | { readonly status: 200; readonly body: wire.ReportJobResultResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListWebhooksRequest = HandlerRequest<wire.ListWebhooksData['path'], Filled<NonNullable<wire.ListWebhooksData['query']>, 'limit'>, NoParameters, undefined>;
export type ListWebhooksReply =
  | { readonly status: 200; readonly body: wire.ListWebhooksResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type CreateWebhookRequest = HandlerRequest<wire.CreateWebhookData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.CreateWebhookData['headers']>['Idempotency-Key']> }, Filled<NonNullable<wire.CreateWebhookData['body']>, 'is_active'>>;
export type CreateWebhookReply =
  | { readonly status: 201; readonly body: wire.CreateWebhookResponses[201]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type GetWebhookRequest = HandlerRequest<wire.GetWebhookData['path'], NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetWebhookData['headers']>['If-None-Match']> }, undefined>;
export type GetWebhookReply =
  | { readonly status: 200; readonly body: wire.GetWebhookResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdateWebhookRequest = HandlerRequest<wire.UpdateWebhookData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateWebhookData['headers']>['If-Match']> }, NonNullable<wire.UpdateWebhookData['body']>>;
export type UpdateWebhookReply =
  | { readonly status: 200; readonly body: wire.UpdateWebhookResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type DeleteWebhookRequest = HandlerRequest<wire.DeleteWebhookData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.DeleteWebhookData['headers']>['If-Match']> }, undefined>;
export type DeleteWebhookReply =
  | { readonly status: 204; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RotateWebhookSecretRequest = HandlerRequest<wire.RotateWebhookSecretData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.RotateWebhookSecretData['headers']>['Idempotency-Key']> }, Filled<NonNullable<wire.RotateWebhookSecretData['body']>, 'overlap_seconds'> | undefined>;
export type RotateWebhookSecretReply =
  | { readonly status: 200; readonly body: wire.RotateWebhookSecretResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type TestWebhookRequest = HandlerRequest<wire.TestWebhookData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.TestWebhookData['headers']>['Idempotency-Key']> }, undefined>;
export type TestWebhookReply =
  | { readonly status: 202; readonly body: wire.TestWebhookResponses[202]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type RedeliverSinceRequest = HandlerRequest<wire.RedeliverSinceData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.RedeliverSinceData['headers']>['Idempotency-Key']> }, Filled<NonNullable<wire.RedeliverSinceData['body']>, 'include_succeeded'>>;
export type RedeliverSinceReply =
  | { readonly status: 202; readonly body: wire.RedeliverSinceResponses[202]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type ListDeliveriesRequest = HandlerRequest<wire.ListDeliveriesData['path'], Filled<NonNullable<wire.ListDeliveriesData['query']>, 'limit'>, NoParameters, undefined>;
export type ListDeliveriesReply =
  | { readonly status: 200; readonly body: wire.ListDeliveriesResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetDeliveryRequest = HandlerRequest<wire.GetDeliveryData['path'], NoParameters, NoParameters, undefined>;
export type GetDeliveryReply =
  | { readonly status: 200; readonly body: wire.GetDeliveryResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RedeliverDeliveryRequest = HandlerRequest<wire.RedeliverDeliveryData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.RedeliverDeliveryData['headers']>['Idempotency-Key']> }, undefined>;
export type RedeliverDeliveryReply =
  | { readonly status: 202; readonly body: wire.RedeliverDeliveryResponses[202]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type ListTiersRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListTiersData['query']>, 'limit'>, NoParameters, undefined>;
export type ListTiersReply =
  | { readonly status: 200; readonly body: wire.ListTiersResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListUsersRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListUsersData['query']>, 'limit'>, NoParameters, undefined>;
export type ListUsersReply =
  | { readonly status: 200; readonly body: wire.ListUsersResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetUserRequest = HandlerRequest<wire.GetUserData['path'], NoParameters, { readonly 'if-none-match'?: NonNullable<NonNullable<wire.GetUserData['headers']>['If-None-Match']> }, undefined>;
export type GetUserReply =
  | { readonly status: 200; readonly body: wire.GetUserResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string }
  | { readonly status: 304; readonly headers?: ReplyHeaders; readonly etag?: string };

export type SetUserTierRequest = HandlerRequest<wire.SetUserTierData['path'], NoParameters, NoParameters, NonNullable<wire.SetUserTierData['body']>>;
export type SetUserTierReply =
  | { readonly status: 200; readonly body: wire.SetUserTierResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type SuspendUserRequest = HandlerRequest<wire.SuspendUserData['path'], NoParameters, NoParameters, NonNullable<wire.SuspendUserData['body']>>;
export type SuspendUserReply =
  | { readonly status: 200; readonly body: wire.SuspendUserResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UnsuspendUserRequest = HandlerRequest<wire.UnsuspendUserData['path'], NoParameters, NoParameters, undefined>;
export type UnsuspendUserReply =
  | { readonly status: 200; readonly body: wire.UnsuspendUserResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListWorkersRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListWorkersData['query']>, 'limit'>, NoParameters, undefined>;
export type ListWorkersReply =
  | { readonly status: 200; readonly body: wire.ListWorkersResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetQueueStatsRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type GetQueueStatsReply =
  | { readonly status: 200; readonly body: wire.GetQueueStatsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListDeadJobsRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListDeadJobsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListDeadJobsReply =
  | { readonly status: 200; readonly body: wire.ListDeadJobsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type RetryDeadJobRequest = HandlerRequest<wire.RetryDeadJobData['path'], NoParameters, { readonly 'idempotency-key'?: NonNullable<NonNullable<wire.RetryDeadJobData['headers']>['Idempotency-Key']> }, undefined>;
export type RetryDeadJobReply =
  | { readonly status: 202; readonly body: wire.RetryDeadJobResponses[202]['data']; readonly headers: ReplyHeaders & { readonly 'Location': string }; readonly etag?: string };

export type GetPreviewStatsRequest = HandlerRequest<NoParameters, NonNullable<wire.GetPreviewStatsData['query']>, NoParameters, undefined>;
export type GetPreviewStatsReply =
  | { readonly status: 200; readonly body: wire.GetPreviewStatsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetScalingRulesRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type GetScalingRulesReply =
  | { readonly status: 200; readonly body: wire.GetScalingRulesResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdateScalingRulesRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, NonNullable<wire.UpdateScalingRulesData['body']>>;
export type UpdateScalingRulesReply =
  | { readonly status: 200; readonly body: wire.UpdateScalingRulesResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListScalingEventsRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListScalingEventsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListScalingEventsReply =
  | { readonly status: 200; readonly body: wire.ListScalingEventsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type ListTierLimitsRequest = HandlerRequest<NoParameters, Filled<NonNullable<wire.ListTierLimitsData['query']>, 'limit'>, NoParameters, undefined>;
export type ListTierLimitsReply =
  | { readonly status: 200; readonly body: wire.ListTierLimitsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type UpdateTierLimitsRequest = HandlerRequest<wire.UpdateTierLimitsData['path'], NoParameters, { readonly 'if-match'?: NonNullable<NonNullable<wire.UpdateTierLimitsData['headers']>['If-Match']> }, NonNullable<wire.UpdateTierLimitsData['body']>>;
export type UpdateTierLimitsReply =
  | { readonly status: 200; readonly body: wire.UpdateTierLimitsResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag: string };

export type GetHealthRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type GetHealthReply =
  | { readonly status: 200; readonly body: wire.GetHealthResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetDeepHealthRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type GetDeepHealthReply =
  | { readonly status: 200; readonly body: wire.GetDeepHealthResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetDbHealthRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type GetDbHealthReply =
  | { readonly status: 200; readonly body: wire.GetDbHealthResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

export type GetRedisHealthRequest = HandlerRequest<NoParameters, NoParameters, NoParameters, undefined>;
export type GetRedisHealthReply =
  | { readonly status: 200; readonly body: wire.GetRedisHealthResponses[200]['data']; readonly headers?: ReplyHeaders; readonly etag?: string };

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
  /** GET /auth/sessions */
  readonly listSessions: (request: ListSessionsRequest, call: Call) => Promise<ListSessionsReply>;
  /** DELETE /auth/sessions */
  readonly revokeOtherSessions: (request: RevokeOtherSessionsRequest, call: Call) => Promise<RevokeOtherSessionsReply>;
  /** DELETE /auth/sessions/{session_id} */
  readonly revokeSession: (request: RevokeSessionRequest, call: Call) => Promise<RevokeSessionReply>;
  /** GET /auth/devices */
  readonly listDevices: (request: ListDevicesRequest, call: Call) => Promise<ListDevicesReply>;
  /** DELETE /auth/devices/{device_id} */
  readonly removeDevice: (request: RemoveDeviceRequest, call: Call) => Promise<RemoveDeviceReply>;
  /** POST /auth/session-tokens */
  readonly createSessionToken: (request: CreateSessionTokenRequest, call: Call) => Promise<CreateSessionTokenReply>;
  /** POST /auth/session-tokens/consume */
  readonly consumeSessionToken: (request: ConsumeSessionTokenRequest, call: Call) => Promise<ConsumeSessionTokenReply>;
  /** POST /auth/device-links */
  readonly createDeviceLink: (request: CreateDeviceLinkRequest, call: Call) => Promise<CreateDeviceLinkReply>;
  /** POST /auth/device-links/token */
  readonly pollDeviceLink: (request: PollDeviceLinkRequest, call: Call) => Promise<PollDeviceLinkReply>;
  /** GET /auth/device-links/{user_code} */
  readonly getDeviceLink: (request: GetDeviceLinkRequest, call: Call) => Promise<GetDeviceLinkReply>;
  /** POST /auth/device-links/{user_code}/approve */
  readonly approveDeviceLink: (request: ApproveDeviceLinkRequest, call: Call) => Promise<ApproveDeviceLinkReply>;
  /** POST /auth/device-links/{user_code}/deny */
  readonly denyDeviceLink: (request: DenyDeviceLinkRequest, call: Call) => Promise<DenyDeviceLinkReply>;
  /** POST /auth/password/change */
  readonly changePassword: (request: ChangePasswordRequest, call: Call) => Promise<ChangePasswordReply>;
  /** POST /auth/password/forgot */
  readonly forgotPassword: (request: ForgotPasswordRequest, call: Call) => Promise<ForgotPasswordReply>;
  /** POST /auth/password/reset */
  readonly resetPassword: (request: ResetPasswordRequest, call: Call) => Promise<ResetPasswordReply>;
  /** POST /auth/email/verify */
  readonly verifyEmail: (request: VerifyEmailRequest, call: Call) => Promise<VerifyEmailReply>;
  /** POST /auth/email/verify/resend */
  readonly resendVerification: (request: ResendVerificationRequest, call: Call) => Promise<ResendVerificationReply>;
  /** POST /auth/email/change */
  readonly requestEmailChange: (request: RequestEmailChangeRequest, call: Call) => Promise<RequestEmailChangeReply>;
  /** POST /auth/mfa/totp */
  readonly enrollTotp: (request: EnrollTotpRequest, call: Call) => Promise<EnrollTotpReply>;
  /** DELETE /auth/mfa/totp */
  readonly disableTotp: (request: DisableTotpRequest, call: Call) => Promise<DisableTotpReply>;
  /** POST /auth/mfa/totp/confirm */
  readonly confirmTotp: (request: ConfirmTotpRequest, call: Call) => Promise<ConfirmTotpReply>;
  /** POST /auth/mfa/recovery-codes */
  readonly regenerateRecoveryCodes: (request: RegenerateRecoveryCodesRequest, call: Call) => Promise<RegenerateRecoveryCodesReply>;
  /** POST /auth/mfa/verify */
  readonly verifyMfa: (request: VerifyMfaRequest, call: Call) => Promise<VerifyMfaReply>;
  /** GET /users/me */
  readonly getMe: (request: GetMeRequest, call: Call) => Promise<GetMeReply>;
  /** PATCH /users/me */
  readonly updateMe: (request: UpdateMeRequest, call: Call) => Promise<UpdateMeReply>;
  /** POST /users/me/deletion */
  readonly requestAccountDeletion: (request: RequestAccountDeletionRequest, call: Call) => Promise<RequestAccountDeletionReply>;
  /** POST /users/me/exports */
  readonly requestDataExport: (request: RequestDataExportRequest, call: Call) => Promise<RequestDataExportReply>;
  /** GET /users/me/exports/{export_id} */
  readonly getDataExport: (request: GetDataExportRequest, call: Call) => Promise<GetDataExportReply>;
  /** GET /users/me/preferences */
  readonly getPreferences: (request: GetPreferencesRequest, call: Call) => Promise<GetPreferencesReply>;
  /** PATCH /users/me/preferences */
  readonly updatePreferences: (request: UpdatePreferencesRequest, call: Call) => Promise<UpdatePreferencesReply>;
  /** GET /users/me/usage */
  readonly getUsage: (request: GetUsageRequest, call: Call) => Promise<GetUsageReply>;
  /** GET /users/search */
  readonly searchUsers: (request: SearchUsersRequest, call: Call) => Promise<SearchUsersReply>;
  /** GET /api-keys */
  readonly listApiKeys: (request: ListApiKeysRequest, call: Call) => Promise<ListApiKeysReply>;
  /** POST /api-keys */
  readonly createApiKey: (request: CreateApiKeyRequest, call: Call) => Promise<CreateApiKeyReply>;
  /** PATCH /api-keys/{key_id} */
  readonly updateApiKey: (request: UpdateApiKeyRequest, call: Call) => Promise<UpdateApiKeyReply>;
  /** DELETE /api-keys/{key_id} */
  readonly revokeApiKey: (request: RevokeApiKeyRequest, call: Call) => Promise<RevokeApiKeyReply>;
  /** POST /api-keys/{key_id}/rotate */
  readonly rotateApiKey: (request: RotateApiKeyRequest, call: Call) => Promise<RotateApiKeyReply>;
  /** GET /teams */
  readonly listTeams: (request: ListTeamsRequest, call: Call) => Promise<ListTeamsReply>;
  /** POST /teams */
  readonly createTeam: (request: CreateTeamRequest, call: Call) => Promise<CreateTeamReply>;
  /** GET /teams/{team_id} */
  readonly getTeam: (request: GetTeamRequest, call: Call) => Promise<GetTeamReply>;
  /** PATCH /teams/{team_id} */
  readonly updateTeam: (request: UpdateTeamRequest, call: Call) => Promise<UpdateTeamReply>;
  /** DELETE /teams/{team_id} */
  readonly deleteTeam: (request: DeleteTeamRequest, call: Call) => Promise<DeleteTeamReply>;
  /** GET /teams/{team_id}/members */
  readonly listTeamMembers: (request: ListTeamMembersRequest, call: Call) => Promise<ListTeamMembersReply>;
  /** POST /teams/{team_id}/members */
  readonly addTeamMember: (request: AddTeamMemberRequest, call: Call) => Promise<AddTeamMemberReply>;
  /** PATCH /teams/{team_id}/members/{user_id} */
  readonly updateTeamMember: (request: UpdateTeamMemberRequest, call: Call) => Promise<UpdateTeamMemberReply>;
  /** DELETE /teams/{team_id}/members/{user_id} */
  readonly removeTeamMember: (request: RemoveTeamMemberRequest, call: Call) => Promise<RemoveTeamMemberReply>;
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
  /** POST /projects/{project_id}/transfer */
  readonly transferProject: (request: TransferProjectRequest, call: Call) => Promise<TransferProjectReply>;
  /** GET /projects/{project_id}/settings */
  readonly getProjectSettings: (request: GetProjectSettingsRequest, call: Call) => Promise<GetProjectSettingsReply>;
  /** PATCH /projects/{project_id}/settings */
  readonly updateProjectSettings: (request: UpdateProjectSettingsRequest, call: Call) => Promise<UpdateProjectSettingsReply>;
  /** GET /projects/{project_id}/members */
  readonly listProjectMembers: (request: ListProjectMembersRequest, call: Call) => Promise<ListProjectMembersReply>;
  /** POST /projects/{project_id}/members */
  readonly addProjectMember: (request: AddProjectMemberRequest, call: Call) => Promise<AddProjectMemberReply>;
  /** DELETE /projects/{project_id}/members/{user_id} */
  readonly removeProjectMember: (request: RemoveProjectMemberRequest, call: Call) => Promise<RemoveProjectMemberReply>;
  /** GET /invitations */
  readonly listMyInvitations: (request: ListMyInvitationsRequest, call: Call) => Promise<ListMyInvitationsReply>;
  /** POST /invitations */
  readonly createInvitation: (request: CreateInvitationRequest, call: Call) => Promise<CreateInvitationReply>;
  /** GET /projects/{project_id}/invitations */
  readonly listProjectInvitations: (request: ListProjectInvitationsRequest, call: Call) => Promise<ListProjectInvitationsReply>;
  /** GET /teams/{team_id}/invitations */
  readonly listTeamInvitations: (request: ListTeamInvitationsRequest, call: Call) => Promise<ListTeamInvitationsReply>;
  /** DELETE /invitations/{invitation_id} */
  readonly revokeInvitation: (request: RevokeInvitationRequest, call: Call) => Promise<RevokeInvitationReply>;
  /** POST /invitations/{invitation_id}/accept */
  readonly acceptInvitation: (request: AcceptInvitationRequest, call: Call) => Promise<AcceptInvitationReply>;
  /** POST /invitations/{invitation_id}/decline */
  readonly declineInvitation: (request: DeclineInvitationRequest, call: Call) => Promise<DeclineInvitationReply>;
  /** POST /invitations/accept-by-token */
  readonly acceptInvitationByToken: (request: AcceptInvitationByTokenRequest, call: Call) => Promise<AcceptInvitationByTokenReply>;
  /** GET /projects/{project_id}/tags */
  readonly listProjectTags: (request: ListProjectTagsRequest, call: Call) => Promise<ListProjectTagsReply>;
  /** POST /projects/{project_id}/tags */
  readonly createProjectTag: (request: CreateProjectTagRequest, call: Call) => Promise<CreateProjectTagReply>;
  /** PATCH /projects/{project_id}/tags/{tag_id} */
  readonly updateProjectTag: (request: UpdateProjectTagRequest, call: Call) => Promise<UpdateProjectTagReply>;
  /** DELETE /projects/{project_id}/tags/{tag_id} */
  readonly deleteProjectTag: (request: DeleteProjectTagRequest, call: Call) => Promise<DeleteProjectTagReply>;
  /** PUT /projects/{project_id}/favorite */
  readonly favoriteProject: (request: FavoriteProjectRequest, call: Call) => Promise<FavoriteProjectReply>;
  /** DELETE /projects/{project_id}/favorite */
  readonly unfavoriteProject: (request: UnfavoriteProjectRequest, call: Call) => Promise<UnfavoriteProjectReply>;
  /** GET /project-templates */
  readonly listProjectTemplates: (request: ListProjectTemplatesRequest, call: Call) => Promise<ListProjectTemplatesReply>;
  /** GET /projects/{project_id}/activity */
  readonly listProjectActivity: (request: ListProjectActivityRequest, call: Call) => Promise<ListProjectActivityReply>;
  /** GET /projects/{project_id}/tasks */
  readonly listTasks: (request: ListTasksRequest, call: Call) => Promise<ListTasksReply>;
  /** POST /projects/{project_id}/tasks */
  readonly createTask: (request: CreateTaskRequest, call: Call) => Promise<CreateTaskReply>;
  /** GET /tasks/{task_id} */
  readonly getTask: (request: GetTaskRequest, call: Call) => Promise<GetTaskReply>;
  /** PATCH /tasks/{task_id} */
  readonly updateTask: (request: UpdateTaskRequest, call: Call) => Promise<UpdateTaskReply>;
  /** DELETE /tasks/{task_id} */
  readonly deleteTask: (request: DeleteTaskRequest, call: Call) => Promise<DeleteTaskReply>;
  /** GET /projects/{project_id}/labels */
  readonly listLabels: (request: ListLabelsRequest, call: Call) => Promise<ListLabelsReply>;
  /** POST /projects/{project_id}/labels */
  readonly createLabel: (request: CreateLabelRequest, call: Call) => Promise<CreateLabelReply>;
  /** PATCH /labels/{label_id} */
  readonly updateLabel: (request: UpdateLabelRequest, call: Call) => Promise<UpdateLabelReply>;
  /** DELETE /labels/{label_id} */
  readonly deleteLabel: (request: DeleteLabelRequest, call: Call) => Promise<DeleteLabelReply>;
  /** PUT /tasks/{task_id}/labels/{label_id} */
  readonly attachLabel: (request: AttachLabelRequest, call: Call) => Promise<AttachLabelReply>;
  /** DELETE /tasks/{task_id}/labels/{label_id} */
  readonly detachLabel: (request: DetachLabelRequest, call: Call) => Promise<DetachLabelReply>;
  /** GET /tasks/{task_id}/dependencies */
  readonly listTaskDependencies: (request: ListTaskDependenciesRequest, call: Call) => Promise<ListTaskDependenciesReply>;
  /** PUT /tasks/{task_id}/dependencies/{depends_on_task_id} */
  readonly addTaskDependency: (request: AddTaskDependencyRequest, call: Call) => Promise<AddTaskDependencyReply>;
  /** DELETE /tasks/{task_id}/dependencies/{depends_on_task_id} */
  readonly removeTaskDependency: (request: RemoveTaskDependencyRequest, call: Call) => Promise<RemoveTaskDependencyReply>;
  /** GET /tasks/{task_id}/attachments */
  readonly listAttachments: (request: ListAttachmentsRequest, call: Call) => Promise<ListAttachmentsReply>;
  /** POST /tasks/{task_id}/attachments */
  readonly createAttachment: (request: CreateAttachmentRequest, call: Call) => Promise<CreateAttachmentReply>;
  /** POST /attachments/{attachment_id}/complete */
  readonly completeAttachment: (request: CompleteAttachmentRequest, call: Call) => Promise<CompleteAttachmentReply>;
  /** GET /attachments/{attachment_id}/download */
  readonly downloadAttachment: (request: DownloadAttachmentRequest, call: Call) => Promise<DownloadAttachmentReply>;
  /** DELETE /attachments/{attachment_id} */
  readonly deleteAttachment: (request: DeleteAttachmentRequest, call: Call) => Promise<DeleteAttachmentReply>;
  /** GET /projects/{project_id}/comments */
  readonly listComments: (request: ListCommentsRequest, call: Call) => Promise<ListCommentsReply>;
  /** POST /projects/{project_id}/comments */
  readonly createComment: (request: CreateCommentRequest, call: Call) => Promise<CreateCommentReply>;
  /** GET /comments/{comment_id} */
  readonly getComment: (request: GetCommentRequest, call: Call) => Promise<GetCommentReply>;
  /** PATCH /comments/{comment_id} */
  readonly updateComment: (request: UpdateCommentRequest, call: Call) => Promise<UpdateCommentReply>;
  /** DELETE /comments/{comment_id} */
  readonly deleteComment: (request: DeleteCommentRequest, call: Call) => Promise<DeleteCommentReply>;
  /** PUT /comments/{comment_id}/star */
  readonly starComment: (request: StarCommentRequest, call: Call) => Promise<StarCommentReply>;
  /** DELETE /comments/{comment_id}/star */
  readonly unstarComment: (request: UnstarCommentRequest, call: Call) => Promise<UnstarCommentReply>;
  /** GET /notifications */
  readonly listNotifications: (request: ListNotificationsRequest, call: Call) => Promise<ListNotificationsReply>;
  /** GET /notifications/unread-count */
  readonly countUnreadNotifications: (request: CountUnreadNotificationsRequest, call: Call) => Promise<CountUnreadNotificationsReply>;
  /** POST /notifications/{notification_id}/read */
  readonly markNotificationRead: (request: MarkNotificationReadRequest, call: Call) => Promise<MarkNotificationReadReply>;
  /** POST /notifications/read_all */
  readonly markAllNotificationsRead: (request: MarkAllNotificationsReadRequest, call: Call) => Promise<MarkAllNotificationsReadReply>;
  /** GET /notifications/stream */
  readonly streamNotifications: (request: StreamNotificationsRequest, call: Call) => Promise<StreamNotificationsReply>;
  /** GET /search */
  readonly search: (request: SearchRequest, call: Call) => Promise<SearchReply>;
  /** GET /preview/sdks */
  readonly listPreviewSdks: (request: ListPreviewSdksRequest, call: Call) => Promise<ListPreviewSdksReply>;
  /** POST /preview/request */
  readonly requestPreview: (request: RequestPreviewRequest, call: Call) => Promise<RequestPreviewReply>;
  /** GET /preview/jobs/{job_id}/missing */
  readonly listMissingBlobs: (request: ListMissingBlobsRequest, call: Call) => Promise<ListMissingBlobsReply>;
  /** POST /preview/jobs/{job_id}/start */
  readonly startPreviewJob: (request: StartPreviewJobRequest, call: Call) => Promise<StartPreviewJobReply>;
  /** POST /preview/build */
  readonly buildPreview: (request: BuildPreviewRequest, call: Call) => Promise<BuildPreviewReply>;
  /** GET /preview/jobs */
  readonly listPreviewJobs: (request: ListPreviewJobsRequest, call: Call) => Promise<ListPreviewJobsReply>;
  /** GET /preview/jobs/{job_id} */
  readonly getPreviewJob: (request: GetPreviewJobRequest, call: Call) => Promise<GetPreviewJobReply>;
  /** DELETE /preview/jobs/{job_id} */
  readonly deletePreviewJob: (request: DeletePreviewJobRequest, call: Call) => Promise<DeletePreviewJobReply>;
  /** POST /preview/jobs/{job_id}/cancel */
  readonly cancelPreviewJob: (request: CancelPreviewJobRequest, call: Call) => Promise<CancelPreviewJobReply>;
  /** GET /preview/jobs/{job_id}/logs */
  readonly getPreviewLogs: (request: GetPreviewLogsRequest, call: Call) => Promise<GetPreviewLogsReply>;
  /** GET /preview/jobs/{job_id}/events */
  readonly streamPreviewJob: (request: StreamPreviewJobRequest, call: Call) => Promise<StreamPreviewJobReply>;
  /** GET /preview/jobs/{job_id}/artifacts */
  readonly listPreviewArtifacts: (request: ListPreviewArtifactsRequest, call: Call) => Promise<ListPreviewArtifactsReply>;
  /** POST /preview/jobs/{job_id}/tokens */
  readonly createPreviewToken: (request: CreatePreviewTokenRequest, call: Call) => Promise<CreatePreviewTokenReply>;
  /** GET /preview/jobs/{job_id}/shares */
  readonly listPreviewShares: (request: ListPreviewSharesRequest, call: Call) => Promise<ListPreviewSharesReply>;
  /** POST /preview/jobs/{job_id}/shares */
  readonly sharePreview: (request: SharePreviewRequest, call: Call) => Promise<SharePreviewReply>;
  /** DELETE /preview/shares/{share_id} */
  readonly revokePreviewShare: (request: RevokePreviewShareRequest, call: Call) => Promise<RevokePreviewShareReply>;
  /** POST /preview/sessions */
  readonly createPreviewSession: (request: CreatePreviewSessionRequest, call: Call) => Promise<CreatePreviewSessionReply>;
  /** GET /preview/sessions/{token} */
  readonly getPreviewSession: (request: GetPreviewSessionRequest, call: Call) => Promise<GetPreviewSessionReply>;
  /** POST /preview/sessions/{token}/bundle */
  readonly uploadPreviewBundle: (request: UploadPreviewBundleRequest, call: Call) => Promise<UploadPreviewBundleReply>;
  /** POST /preview/live-sessions */
  readonly createLiveSession: (request: CreateLiveSessionRequest, call: Call) => Promise<CreateLiveSessionReply>;
  /** POST /preview/live-sessions/{live_id}/changes */
  readonly pushLiveChanges: (request: PushLiveChangesRequest, call: Call) => Promise<PushLiveChangesReply>;
  /** GET /preview/live-sessions/{live_id}/events */
  readonly streamLiveSession: (request: StreamLiveSessionRequest, call: Call) => Promise<StreamLiveSessionReply>;
  /** DELETE /preview/live-sessions/{live_id} */
  readonly endLiveSession: (request: EndLiveSessionRequest, call: Call) => Promise<EndLiveSessionReply>;
  /** GET /preview/view/{token} */
  readonly viewPreview: (request: ViewPreviewRequest, call: Call) => Promise<ViewPreviewReply>;
  /** GET /preview/view/{token}/events */
  readonly streamPreviewView: (request: StreamPreviewViewRequest, call: Call) => Promise<StreamPreviewViewReply>;
  /** GET /preview/manifest */
  readonly getPreviewManifest: (request: GetPreviewManifestRequest, call: Call) => Promise<GetPreviewManifestReply>;
  /** POST /preview/callback */
  readonly reportPreviewResult: (request: ReportPreviewResultRequest, call: Call) => Promise<ReportPreviewResultReply>;
  /** POST /ai/callback */
  readonly reportAiResult: (request: ReportAiResultRequest, call: Call) => Promise<ReportAiResultReply>;
  /** POST /repos/callback */
  readonly reportRepoSync: (request: ReportRepoSyncRequest, call: Call) => Promise<ReportRepoSyncReply>;
  /** POST /workers/register */
  readonly registerWorker: (request: RegisterWorkerRequest, call: Call) => Promise<RegisterWorkerReply>;
  /** POST /workers/heartbeat */
  readonly reportHeartbeat: (request: ReportHeartbeatRequest, call: Call) => Promise<ReportHeartbeatReply>;
  /** POST /workers/jobs/{job_id}/claim */
  readonly claimJob: (request: ClaimJobRequest, call: Call) => Promise<ClaimJobReply>;
  /** POST /workers/jobs/{job_id}/progress */
  readonly reportJobProgress: (request: ReportJobProgressRequest, call: Call) => Promise<ReportJobProgressReply>;
  /** POST /workers/jobs/{job_id}/uploads */
  readonly createJobUploads: (request: CreateJobUploadsRequest, call: Call) => Promise<CreateJobUploadsReply>;
  /** POST /workers/callback */
  readonly reportJobResult: (request: ReportJobResultRequest, call: Call) => Promise<ReportJobResultReply>;
  /** GET /projects/{project_id}/webhooks */
  readonly listWebhooks: (request: ListWebhooksRequest, call: Call) => Promise<ListWebhooksReply>;
  /** POST /projects/{project_id}/webhooks */
  readonly createWebhook: (request: CreateWebhookRequest, call: Call) => Promise<CreateWebhookReply>;
  /** GET /webhooks/{webhook_id} */
  readonly getWebhook: (request: GetWebhookRequest, call: Call) => Promise<GetWebhookReply>;
  /** PATCH /webhooks/{webhook_id} */
  readonly updateWebhook: (request: UpdateWebhookRequest, call: Call) => Promise<UpdateWebhookReply>;
  /** DELETE /webhooks/{webhook_id} */
  readonly deleteWebhook: (request: DeleteWebhookRequest, call: Call) => Promise<DeleteWebhookReply>;
  /** POST /webhooks/{webhook_id}/rotate-secret */
  readonly rotateWebhookSecret: (request: RotateWebhookSecretRequest, call: Call) => Promise<RotateWebhookSecretReply>;
  /** POST /webhooks/{webhook_id}/test */
  readonly testWebhook: (request: TestWebhookRequest, call: Call) => Promise<TestWebhookReply>;
  /** POST /webhooks/{webhook_id}/redeliver */
  readonly redeliverSince: (request: RedeliverSinceRequest, call: Call) => Promise<RedeliverSinceReply>;
  /** GET /webhooks/{webhook_id}/deliveries */
  readonly listDeliveries: (request: ListDeliveriesRequest, call: Call) => Promise<ListDeliveriesReply>;
  /** GET /webhook-deliveries/{delivery_id} */
  readonly getDelivery: (request: GetDeliveryRequest, call: Call) => Promise<GetDeliveryReply>;
  /** POST /webhook-deliveries/{delivery_id}/redeliver */
  readonly redeliverDelivery: (request: RedeliverDeliveryRequest, call: Call) => Promise<RedeliverDeliveryReply>;
  /** GET /tiers */
  readonly listTiers: (request: ListTiersRequest, call: Call) => Promise<ListTiersReply>;
  /** GET /admin/users */
  readonly listUsers: (request: ListUsersRequest, call: Call) => Promise<ListUsersReply>;
  /** GET /admin/users/{user_id} */
  readonly getUser: (request: GetUserRequest, call: Call) => Promise<GetUserReply>;
  /** POST /admin/users/{user_id}/tier */
  readonly setUserTier: (request: SetUserTierRequest, call: Call) => Promise<SetUserTierReply>;
  /** POST /admin/users/{user_id}/suspend */
  readonly suspendUser: (request: SuspendUserRequest, call: Call) => Promise<SuspendUserReply>;
  /** POST /admin/users/{user_id}/unsuspend */
  readonly unsuspendUser: (request: UnsuspendUserRequest, call: Call) => Promise<UnsuspendUserReply>;
  /** GET /admin/workers */
  readonly listWorkers: (request: ListWorkersRequest, call: Call) => Promise<ListWorkersReply>;
  /** GET /admin/queues */
  readonly getQueueStats: (request: GetQueueStatsRequest, call: Call) => Promise<GetQueueStatsReply>;
  /** GET /admin/dead-jobs */
  readonly listDeadJobs: (request: ListDeadJobsRequest, call: Call) => Promise<ListDeadJobsReply>;
  /** POST /admin/dead-jobs/{job_id}/retry */
  readonly retryDeadJob: (request: RetryDeadJobRequest, call: Call) => Promise<RetryDeadJobReply>;
  /** GET /admin/stats/previews */
  readonly getPreviewStats: (request: GetPreviewStatsRequest, call: Call) => Promise<GetPreviewStatsReply>;
  /** GET /admin/scaling */
  readonly getScalingRules: (request: GetScalingRulesRequest, call: Call) => Promise<GetScalingRulesReply>;
  /** POST /admin/scaling */
  readonly updateScalingRules: (request: UpdateScalingRulesRequest, call: Call) => Promise<UpdateScalingRulesReply>;
  /** GET /admin/scaling/events */
  readonly listScalingEvents: (request: ListScalingEventsRequest, call: Call) => Promise<ListScalingEventsReply>;
  /** GET /admin/tiers */
  readonly listTierLimits: (request: ListTierLimitsRequest, call: Call) => Promise<ListTierLimitsReply>;
  /** PATCH /admin/tiers/{tier} */
  readonly updateTierLimits: (request: UpdateTierLimitsRequest, call: Call) => Promise<UpdateTierLimitsReply>;
  /** GET /health */
  readonly getHealth: (request: GetHealthRequest, call: Call) => Promise<GetHealthReply>;
  /** GET /health/deep */
  readonly getDeepHealth: (request: GetDeepHealthRequest, call: Call) => Promise<GetDeepHealthReply>;
  /** GET /health/db */
  readonly getDbHealth: (request: GetDbHealthRequest, call: Call) => Promise<GetDbHealthReply>;
  /** GET /health/redis */
  readonly getRedisHealth: (request: GetRedisHealthRequest, call: Call) => Promise<GetRedisHealthReply>;
}
