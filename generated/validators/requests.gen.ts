// Written by `npm run generate` from openapi/. Never edit it here.

import type { OperationId } from '../server/handlers.gen.ts';
import * as bodies from './bodies.gen.js';
import * as largeBodies from './largeBodies.gen.js';
import * as parameters from './parameters.gen.js';
import { ofBody, ofParameters, type Validator } from './runtime.gen.ts';

export type { Validator, ValidatorFault } from './runtime.gen.ts';

/** The validators of one request; a part the operation does not take is absent, but for the query, which is then empty. */
export interface RequestValidators {
  readonly path?: Validator;
  readonly query: Validator;
  /** Keyed by header names in lower case; headers that the contract does not name are not looked at. */
  readonly headers?: Validator;
  readonly body?: Validator;
}

export const validators: Readonly<Record<OperationId, RequestValidators>> = {
  registerUser: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.registerUser_body) },
  loginUser: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.loginUser_body) },
  refreshTokens: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.refreshTokens_body) },
  logoutUser: { query: ofParameters({}, parameters.registerUser_query) },
  listSessions: { query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listSessions_query) },
  revokeOtherSessions: { query: ofParameters({}, parameters.registerUser_query) },
  revokeSession: { path: ofParameters({}, parameters.revokeSession_path), query: ofParameters({}, parameters.registerUser_query) },
  listDevices: { query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listSessions_query) },
  removeDevice: { path: ofParameters({}, parameters.removeDevice_path), query: ofParameters({}, parameters.registerUser_query) },
  createSessionToken: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers) },
  consumeSessionToken: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.consumeSessionToken_body) },
  createDeviceLink: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.createDeviceLink_body) },
  pollDeviceLink: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.pollDeviceLink_body) },
  getDeviceLink: { path: ofParameters({}, parameters.getDeviceLink_path), query: ofParameters({}, parameters.registerUser_query) },
  approveDeviceLink: { path: ofParameters({}, parameters.getDeviceLink_path), query: ofParameters({}, parameters.registerUser_query) },
  denyDeviceLink: { path: ofParameters({}, parameters.getDeviceLink_path), query: ofParameters({}, parameters.registerUser_query) },
  changePassword: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.changePassword_body) },
  forgotPassword: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.forgotPassword_body) },
  resetPassword: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.resetPassword_body) },
  verifyEmail: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.verifyEmail_body) },
  resendVerification: { query: ofParameters({}, parameters.registerUser_query) },
  requestEmailChange: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.requestEmailChange_body) },
  enrollTotp: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers), body: ofBody(bodies.enrollTotp_body) },
  disableTotp: { query: ofParameters({}, parameters.registerUser_query) },
  confirmTotp: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers), body: ofBody(bodies.confirmTotp_body) },
  regenerateRecoveryCodes: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers), body: ofBody(bodies.confirmTotp_body) },
  verifyMfa: { query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.verifyMfa_body) },
  getMe: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.getMe_headers) },
  updateMe: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.updateMe_headers), body: ofBody(bodies.updateMe_body) },
  getPreferences: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.getMe_headers) },
  updatePreferences: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.updateMe_headers), body: ofBody(bodies.updatePreferences_body) },
  getUsage: { query: ofParameters({}, parameters.registerUser_query) },
  searchUsers: { query: ofParameters({"limit":"integer","offset":"integer"}, parameters.searchUsers_query) },
  listApiKeys: { query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listSessions_query) },
  createApiKey: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers), body: ofBody(bodies.createApiKey_body) },
  updateApiKey: { path: ofParameters({}, parameters.updateApiKey_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.updateMe_headers), body: ofBody(bodies.updateApiKey_body) },
  revokeApiKey: { path: ofParameters({}, parameters.updateApiKey_path), query: ofParameters({}, parameters.registerUser_query) },
  rotateApiKey: { path: ofParameters({}, parameters.updateApiKey_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers), body: ofBody(bodies.rotateApiKey_body) },
  listProjects: { query: ofParameters({"limit":"integer","offset":"integer","favorite":"boolean","archived":"boolean"}, parameters.listProjects_query) },
  createProject: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers), body: ofBody(bodies.createProject_body) },
  getProject: { path: ofParameters({}, parameters.getProject_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.getMe_headers) },
  updateProject: { path: ofParameters({}, parameters.getProject_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.updateMe_headers), body: ofBody(bodies.updateProject_body) },
  deleteProject: { path: ofParameters({}, parameters.getProject_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.updateMe_headers) },
  getProjectSettings: { path: ofParameters({}, parameters.getProject_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.getMe_headers) },
  updateProjectSettings: { path: ofParameters({}, parameters.getProject_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.updateMe_headers), body: ofBody(bodies.updateProjectSettings_body) },
  listPreviewSdks: { query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listSessions_query) },
  requestPreview: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers), body: ofBody(largeBodies.requestPreview_body) },
  listMissingBlobs: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listSessions_query) },
  startPreviewJob: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers) },
  buildPreview: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers), body: ofBody(largeBodies.buildPreview_body) },
  listPreviewJobs: { query: ofParameters({"limit":"integer","offset":"integer","mine":"boolean"}, parameters.listPreviewJobs_query) },
  getPreviewJob: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.getMe_headers) },
  deletePreviewJob: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.updateMe_headers) },
  cancelPreviewJob: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({}, parameters.registerUser_query) },
  getPreviewLogs: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listSessions_query) },
  streamPreviewJob: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.streamPreviewJob_headers) },
  listPreviewArtifacts: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listPreviewArtifacts_query) },
  createPreviewToken: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.createSessionToken_headers) },
  reportPreviewResult: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportPreviewResult_headers), body: ofBody(largeBodies.reportPreviewResult_body) },
  registerWorker: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportPreviewResult_headers), body: ofBody(bodies.registerWorker_body) },
  reportHeartbeat: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportPreviewResult_headers), body: ofBody(bodies.reportHeartbeat_body) },
  claimJob: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportPreviewResult_headers), body: ofBody(bodies.claimJob_body) },
  reportJobProgress: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportPreviewResult_headers), body: ofBody(largeBodies.reportJobProgress_body) },
  createJobUploads: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportPreviewResult_headers), body: ofBody(largeBodies.createJobUploads_body) },
  reportJobResult: { query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportPreviewResult_headers), body: ofBody(largeBodies.reportPreviewResult_body) },
  listTiers: { query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listSessions_query) },
  listUsers: { query: ofParameters({"limit":"integer","offset":"integer","suspended":"boolean","deleted":"boolean"}, parameters.listUsers_query) },
  getUser: { path: ofParameters({}, parameters.getUser_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.getMe_headers) },
  setUserTier: { path: ofParameters({}, parameters.getUser_path), query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.setUserTier_body) },
  suspendUser: { path: ofParameters({}, parameters.getUser_path), query: ofParameters({}, parameters.registerUser_query), body: ofBody(bodies.suspendUser_body) },
  unsuspendUser: { path: ofParameters({}, parameters.getUser_path), query: ofParameters({}, parameters.registerUser_query) },
  listTierLimits: { query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listSessions_query) },
  updateTierLimits: { path: ofParameters({}, parameters.updateTierLimits_path), query: ofParameters({}, parameters.registerUser_query), headers: ofParameters({}, parameters.updateMe_headers), body: ofBody(bodies.updateTierLimits_body) },
  getHealth: { query: ofParameters({}, parameters.registerUser_query) },
  getDeepHealth: { query: ofParameters({}, parameters.registerUser_query) },
  getDbHealth: { query: ofParameters({}, parameters.registerUser_query) },
  getRedisHealth: { query: ofParameters({}, parameters.registerUser_query) },
};
