/**
 * Who is answered what by each operation: one row an operation, one column a caller. Written by hand from the contract
 * (docs and openapi/), never from what the server answers; a change here is a change of who may do what, and is reviewed
 * as one. Rows of operations that are not mounted yet wait for them.
 *
 * The request of each cell is right in every way but for who sends it (requests.ts). What it acts on (a project, a
 * preview, a session, a key, an account) belongs to the owner of its column: `owner`, the keys' owner, `unverified`,
 * `stale`, `suspended`, `signed_out`, `deleted` and `expired` are owners; in all other columns it is somebody else's.
 *
 * Cells: a status alone is the success that the contract documents; 401 is AUTH_INVALID, expired is 401 AUTH_EXPIRED, 403
 * is FORBIDDEN, 404 is NOT_FOUND; and FORBIDDEN with its `details.reason`: suspended, unconfirmed (email_not_verified),
 * stale (recent_sign_in_required).
 */
export const columns = {
  nobody: 'without a credential',
  stranger: 'signed in, with no part in the project and its team',
  member: 'Member of the project',
  owner: 'owner of the project, and of whatever else is acted on',
  t_member: 'Member of the project\'s team',
  t_admin: 'Admin of the project\'s team',
  t_owner: 'Owner of the project\'s team',
  admin: 'platform admin, with no role in the project',
  admin_old: 'platform admin who signed in more than 15 minutes ago',
  key: 'API key of the owner with the operation\'s scope; with every scope where it has none',
  key_less: 'API key of the owner with every scope but the operation\'s',
  key_else: 'like key, restricted to another project of the owner',
  unverif: 'owner who has not confirmed the email address',
  old: 'owner who signed in more than 15 minutes ago',
  suspended: 'owner whose account is suspended',
  revoked: 'owner whose session was ended',
  deleted: 'owner whose account is deleted',
  expired: 'owner with an access token past its 15 minutes',
  node: 'worker node, signing with its own key',
  preview: 'view token of a preview of the project, sent as a bearer token',
} as const;
export type Column = keyof typeof columns;

const table = `
operation               | nobody stranger member owner t_member t_admin t_owner admin admin_old key key_less key_else unverif     old   suspended revoked deleted expired node preview
------------------------+---------------------------------------------------------------------------------------------------------------------------------------------------------
registerUser            | 201    201      201    201   201      201     201     201   201       201 201      201      201         201   201       201     201     201     201  201
loginUser               | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
refreshTokens           | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
logoutUser              | 401    204      204    204   204      204     204     204   204       403 403      403      204         204   suspended 401     401     expired 401  401
listSessions            | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
revokeOtherSessions     | 401    204      204    204   204      204     204     204   204       403 403      403      204         204   suspended 401     401     expired 401  401
revokeSession           | 401    404      404    204   404      404     404     404   404       403 403      403      204         204   suspended 401     401     expired 401  401
listDevices             | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
removeDevice            | 401    404      404    204   404      404     404     404   404       403 403      403      204         204   suspended 401     401     expired 401  401
createSessionToken      | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
consumeSessionToken     | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
createDeviceLink        | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
pollDeviceLink          | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
getDeviceLink           | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
approveDeviceLink       | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
denyDeviceLink          | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
changePassword          | 401    204      204    204   204      204     204     204   204       403 403      403      204         204   suspended 401     401     expired 401  401
forgotPassword          | 204    204      204    204   204      204     204     204   204       204 204      204      204         204   204       204     204     204     204  204
resetPassword           | 204    204      204    204   204      204     204     204   204       204 204      204      204         204   204       204     204     204     204  204
verifyEmail             | 204    204      204    204   204      204     204     204   204       204 204      204      204         204   204       204     204     204     204  204
resendVerification      | 401    204      204    204   204      204     204     204   204       403 403      403      204         204   suspended 401     401     expired 401  401
requestEmailChange      | 401    204      204    204   204      204     204     204   204       403 403      403      204         204   suspended 401     401     expired 401  401
enrollTotp              | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
confirmTotp             | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
disableTotp             | 401    204      204    204   204      204     204     204   stale     403 403      403      204         stale suspended 401     401     expired 401  401
regenerateRecoveryCodes | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
verifyMfa               | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
getMe                   | 401    200      200    200   200      200     200     200   200       200 403      200      200         200   suspended 401     401     expired 401  401
updateMe                | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
requestAccountDeletion  | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
requestDataExport       | 401    202      202    202   202      202     202     202   stale     403 403      403      202         stale suspended 401     401     expired 401  401
getDataExport           | 401    404      404    200   404      404     404     404   404       403 403      403      200         200   suspended 401     401     expired 401  401
getPreferences          | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
updatePreferences       | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
getUsage                | 401    200      200    200   200      200     200     200   200       200 403      200      200         200   suspended 401     401     expired 401  401
searchUsers             | 401    200      200    200   200      200     200     200   200       403 403      403      unconfirmed 200   suspended 401     401     expired 401  401
listApiKeys             | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
createApiKey            | 401    201      201    201   201      201     201     201   201       403 403      403      unconfirmed 201   suspended 401     401     expired 401  401
updateApiKey            | 401    404      404    200   404      404     404     404   404       403 403      403      200         200   suspended 401     401     expired 401  401
revokeApiKey            | 401    404      404    204   404      404     404     404   404       403 403      403      204         204   suspended 401     401     expired 401  401
rotateApiKey            | 401    404      404    201   404      404     404     404   404       403 403      403      unconfirmed 201   suspended 401     401     expired 401  401
listUsers               | 401    403      403    403   403      403     403     200   200       403 403      403      403         403   suspended 401     401     expired 401  401
getUser                 | 401    403      403    403   403      403     403     200   200       403 403      403      403         403   suspended 401     401     expired 401  401
setUserTier             | 401    403      403    403   403      403     403     200   stale     403 403      403      403         403   suspended 401     401     expired 401  401
suspendUser             | 401    403      403    403   403      403     403     200   stale     403 403      403      403         403   suspended 401     401     expired 401  401
unsuspendUser           | 401    403      403    403   403      403     403     200   stale     403 403      403      403         403   suspended 401     401     expired 401  401
listTierLimits          | 401    403      403    403   403      403     403     200   200       403 403      403      403         403   suspended 401     401     expired 401  401
updateTierLimits        | 401    403      403    403   403      403     403     200   stale     403 403      403      403         403   suspended 401     401     expired 401  401
listWorkers             | 401    403      403    403   403      403     403     200   200       403 403      403      403         403   suspended 401     401     expired 401  401
listDeadJobs            | 401    403      403    403   403      403     403     200   200       403 403      403      403         403   suspended 401     401     expired 401  401
retryDeadJob            | 401    403      403    403   403      403     403     202   202       403 403      403      403         403   suspended 401     401     expired 401  401
getQueueStats           | 401    403      403    403   403      403     403     200   200       403 403      403      403         403   suspended 401     401     expired 401  401
getPreviewStats         | 401    403      403    403   403      403     403     200   200       403 403      403      403         403   suspended 401     401     expired 401  401
getScalingRules         | 401    403      403    403   403      403     403     200   200       403 403      403      403         403   suspended 401     401     expired 401  401
updateScalingRules      | 401    403      403    403   403      403     403     200   200       403 403      403      403         403   suspended 401     401     expired 401  401
listScalingEvents       | 401    403      403    403   403      403     403     200   200       403 403      403      403         403   suspended 401     401     expired 401  401
listTiers               | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
listProjects            | 401    200      200    200   200      200     200     200   200       200 403      200      200         200   suspended 401     401     expired 401  401
createProject           | 401    201      201    201   201      201     201     201   201       201 403      403      201         201   suspended 401     401     expired 401  401
getProject              | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
updateProject           | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
deleteProject           | 401    404      403    204   403      403     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
getProjectSettings      | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
updateProjectSettings   | 401    404      403    200   403      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
listTeams               | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
createTeam              | 401    201      201    201   201      201     201     201   201       403 403      403      201         201   suspended 401     401     expired 401  401
getTeam                 | 401    404      404    200   200      200     200     404   404       403 403      403      200         200   suspended 401     401     expired 401  401
updateTeam              | 401    404      404    200   403      200     200     404   404       403 403      403      200         200   suspended 401     401     expired 401  401
deleteTeam              | 401    404      404    204   403      403     204     404   404       403 403      403      204         204   suspended 401     401     expired 401  401
listTeamMembers         | 401    404      404    200   200      200     200     404   404       403 403      403      200         200   suspended 401     401     expired 401  401
addTeamMember           | 401    404      404    201   403      201     201     404   404       403 403      403      unconfirmed 201   suspended 401     401     expired 401  401
updateTeamMember        | 401    404      404    200   403      200     200     404   404       403 403      403      200         200   suspended 401     401     expired 401  401
removeTeamMember        | 401    404      404    204   403      204     204     404   404       403 403      403      204         204   suspended 401     401     expired 401  401
transferProject         | 401    404      403    200   403      403     200     404   404       403 403      403      unconfirmed 200   suspended 401     401     expired 401  401
listProjectMembers      | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
addProjectMember        | 401    404      403    201   403      201     201     404   404       201 403      404      unconfirmed 201   suspended 401     401     expired 401  401
removeProjectMember     | 401    404      403    204   403      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
listProjectTemplates    | 401    200      200    200   200      200     200     200   200       200 403      200      200         200   suspended 401     401     expired 401  401
listProjectTags         | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
createProjectTag        | 401    404      201    201   201      201     201     404   404       201 403      404      201         201   suspended 401     401     expired 401  401
updateProjectTag        | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
deleteProjectTag        | 401    404      204    204   204      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
favoriteProject         | 401    404      204    204   204      204     204     404   404       403 403      403      204         204   suspended 401     401     expired 401  401
unfavoriteProject       | 401    404      204    204   204      204     204     404   404       403 403      403      204         204   suspended 401     401     expired 401  401
listProjectActivity     | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
createInvitation        | 401    404      404    201   403      201     201     404   404       403 403      403      unconfirmed 201   suspended 401     401     expired 401  401
listMyInvitations       | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
listProjectInvitations  | 401    404      403    200   403      200     200     404   404       403 403      403      200         200   suspended 401     401     expired 401  401
listTeamInvitations     | 401    404      404    200   403      200     200     404   404       403 403      403      200         200   suspended 401     401     expired 401  401
revokeInvitation        | 401    404      404    204   404      204     204     404   404       403 403      403      204         204   suspended 401     401     expired 401  401
acceptInvitation        | 401    404      404    200   404      403     403     404   404       403 403      403      200         200   suspended 401     401     expired 401  401
declineInvitation       | 401    404      404    200   404      403     403     404   404       403 403      403      200         200   suspended 401     401     expired 401  401
acceptInvitationByToken | 401    200      200    200   200      200     200     200   200       403 403      403      200         200   suspended 401     401     expired 401  401
listTasks               | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
createTask              | 401    404      201    201   201      201     201     404   404       201 403      404      201         201   suspended 401     401     expired 401  401
getTask                 | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
updateTask              | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
deleteTask              | 401    404      204    204   204      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
listLabels              | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
createLabel             | 401    404      201    201   201      201     201     404   404       201 403      404      201         201   suspended 401     401     expired 401  401
updateLabel             | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
deleteLabel             | 401    404      204    204   204      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
attachLabel             | 401    404      204    204   204      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
detachLabel             | 401    404      204    204   204      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
listTaskDependencies    | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
addTaskDependency       | 401    404      204    204   204      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
removeTaskDependency    | 401    404      204    204   204      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
listAttachments         | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
createAttachment        | 401    404      201    201   201      201     201     404   404       201 403      404      201         201   suspended 401     401     expired 401  401
completeAttachment      | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
downloadAttachment      | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
deleteAttachment        | 401    404      204    204   204      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
search                  | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
listNotifications        | 401    200      200    200   200      200     200     200   200       200 403      200      200         200   suspended 401     401     expired 401  401
countUnreadNotifications | 401    200      200    200   200      200     200     200   200       200 403      200      200         200   suspended 401     401     expired 401  401
markNotificationRead     | 401    404      404    200   404      404     404     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
markAllNotificationsRead | 401    200      200    200   200      200     200     200   200       200 403      200      200         200   suspended 401     401     expired 401  401
listComments            | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
createComment           | 401    404      201    201   201      201     201     404   404       201 403      404      201         201   suspended 401     401     expired 401  401
getComment              | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
updateComment           | 401    404      403    200   403      403     403     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
deleteComment           | 401    404      403    204   403      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
starComment             | 401    404      204    204   204      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
unstarComment           | 401    404      204    204   204      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
streamNotifications     | 401    200      200    200   200      200     200     200   200       200 403      200      200         200   suspended 401     401     expired 401  401
listPreviewSdks         | 401    200      200    200   200      200     200     200   200       200 403      200      200         200   suspended 401     401     expired 401  401
requestPreview          | 401    404      202    202   202      202     202     404   404       202 403      404      202         202   suspended 401     401     expired 401  401
buildPreview            | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
listPreviewJobs         | 401    200      200    200   200      200     200     200   200       200 403      200      200         200   suspended 401     401     expired 401  401
getPreviewJob           | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
listMissingBlobs        | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
startPreviewJob         | 401    404      202    202   202      202     202     404   404       202 403      404      202         202   suspended 401     401     expired 401  401
cancelPreviewJob        | 401    404      403    200   403      403     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
deletePreviewJob        | 401    404      403    204   403      403     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
getPreviewLogs          | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
streamPreviewJob        | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
listPreviewArtifacts    | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
createPreviewToken      | 401    404      201    201   201      201     201     404   404       201 403      404      201         201   suspended 401     401     expired 401  401
createLiveSession       | 401    404      201    201   201      201     201     404   404       201 403      404      201         201   suspended 401     401     expired 401  401
pushLiveChanges         | 401    404      403    202   403      403     403     404   404       202 403      404      202         202   suspended 401     401     expired 401  401
streamLiveSession       | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
endLiveSession          | 401    404      403    204   403      403     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
sharePreview            | 401    404      201    201   201      201     201     404   404       201 403      404      unconfirmed 201   suspended 401     401     expired 401  401
listPreviewShares       | 401    404      200    200   200      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
revokePreviewShare      | 401    404      403    204   403      403     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
createPreviewSession    | 401    404      201    201   201      201     201     404   404       201 403      404      201         201   suspended 401     401     expired 401  401
getPreviewSession       | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
uploadPreviewBundle     | 201    201      201    201   201      201     201     201   201       201 201      201      201         201   201       201     201     201     201  201
getPreviewManifest      | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
viewPreview             | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
streamPreviewView       | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
listWebhooks            | 401    404      403    200   403      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
createWebhook           | 401    404      403    201   403      201     201     404   404       201 403      404      unconfirmed 201   suspended 401     401     expired 401  401
getWebhook              | 401    404      403    200   403      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
updateWebhook           | 401    404      403    200   403      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
deleteWebhook           | 401    404      403    204   403      204     204     404   404       204 403      404      204         204   suspended 401     401     expired 401  401
rotateWebhookSecret     | 401    404      403    200   403      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
testWebhook             | 401    404      403    202   403      202     202     404   404       202 403      404      202         202   suspended 401     401     expired 401  401
redeliverSince          | 401    404      403    202   403      202     202     404   404       202 403      404      202         202   suspended 401     401     expired 401  401
listDeliveries          | 401    404      403    200   403      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
getDelivery             | 401    404      403    200   403      200     200     404   404       200 403      404      200         200   suspended 401     401     expired 401  401
redeliverDelivery       | 401    404      403    202   403      202     202     404   404       202 403      404      202         202   suspended 401     401     expired 401  401
reportPreviewResult     | 401    401      401    401   401      401     401     401   401       401 401      401      401         401   401       401     401     401     200  401
reportAiResult          | 401    401      401    401   401      401     401     401   401       401 401      401      401         401   401       401     401     401     200  401
reportRepoSync          | 401    401      401    401   401      401     401     401   401       401 401      401      401         401   401       401     401     401     200  401
registerWorker          | 401    401      401    401   401      401     401     401   401       401 401      401      401         401   401       401     401     401     200  401
reportHeartbeat         | 401    401      401    401   401      401     401     401   401       401 401      401      401         401   401       401     401     401     200  401
claimJob                | 401    401      401    401   401      401     401     401   401       401 401      401      401         401   401       401     401     401     200  401
reportJobProgress       | 401    401      401    401   401      401     401     401   401       401 401      401      401         401   401       401     401     401     200  401
createJobUploads        | 401    401      401    401   401      401     401     401   401       401 401      401      401         401   401       401     401     401     200  401
reportJobResult         | 401    401      401    401   401      401     401     401   401       401 401      401      401         401   401       401     401     401     200  401
getHealth               | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
getDeepHealth           | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
getDbHealth             | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
getRedisHealth          | 200    200      200    200   200      200     200     200   200       200 200      200      200         200   200       200     200     200     200  200
`;

/** What a cell stands for on the wire. */
export interface Expected {
  readonly status: number;
  readonly code: string | null;
  /** `details.reason`; null where there is none. */
  readonly reason: string | null;
}

const words: Readonly<Record<string, Expected>> = {
  401: { status: 401, code: 'AUTH_INVALID', reason: null },
  expired: { status: 401, code: 'AUTH_EXPIRED', reason: null },
  403: { status: 403, code: 'FORBIDDEN', reason: null },
  suspended: { status: 403, code: 'FORBIDDEN', reason: 'suspended' },
  unconfirmed: { status: 403, code: 'FORBIDDEN', reason: 'email_not_verified' },
  stale: { status: 403, code: 'FORBIDDEN', reason: 'recent_sign_in_required' },
  404: { status: 404, code: 'NOT_FOUND', reason: null },
};

function read(cell: string): Expected {
  const word = words[cell];
  if (word !== undefined) return word;
  if (!/^20[0124]$/.test(cell)) throw new Error(`A cell of the matrix says ${cell}, which means nothing.`);
  return { status: Number(cell), code: null, reason: null };
}

/** operationId → column → what is expected. */
export const expectations: ReadonlyMap<string, Readonly<Record<Column, Expected>>> = readTable(table);

function readTable(text: string): Map<string, Record<Column, Expected>> {
  const [head = '', , ...lines] = text.trim().split('\n');
  const names = Object.keys(columns);
  const cellsOf = (line: string): string[] => (line.split('|')[1] ?? '').trim().split(/\s+/);
  if (cellsOf(head).join() !== names.join()) throw new Error('The head of the matrix does not name its columns in their order.');
  const rows = new Map<string, Record<Column, Expected>>();
  for (const line of lines) {
    const operationId = (line.split('|')[0] ?? '').trim();
    const cells = cellsOf(line);
    if (cells.length !== names.length) throw new Error(`The row of ${operationId} has ${cells.length} cells, not ${names.length}.`);
    if (rows.has(operationId)) throw new Error(`${operationId} has two rows.`);
    rows.set(operationId, Object.fromEntries(names.map((name, at) => [name, read(cells[at] ?? '')])) as Record<Column, Expected>);
  }
  return rows;
}
