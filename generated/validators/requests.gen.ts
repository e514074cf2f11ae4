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
  registerUser: { query: ofParameters({}, parameters.noQuery), body: ofBody(bodies.registerUser_body) },
  loginUser: { query: ofParameters({}, parameters.noQuery), body: ofBody(bodies.loginUser_body) },
  refreshTokens: { query: ofParameters({}, parameters.noQuery), body: ofBody(bodies.refreshTokens_body) },
  logoutUser: { query: ofParameters({}, parameters.noQuery) },
  getMe: { query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.getMe_headers) },
  listProjects: { query: ofParameters({"limit":"integer","offset":"integer","favorite":"boolean","archived":"boolean"}, parameters.listProjects_query) },
  createProject: { query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.createProject_headers), body: ofBody(bodies.createProject_body) },
  getProject: { path: ofParameters({}, parameters.getProject_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.getProject_headers) },
  updateProject: { path: ofParameters({}, parameters.updateProject_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.updateProject_headers), body: ofBody(bodies.updateProject_body) },
  deleteProject: { path: ofParameters({}, parameters.deleteProject_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.deleteProject_headers) },
  getProjectSettings: { path: ofParameters({}, parameters.getProjectSettings_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.getProjectSettings_headers) },
  updateProjectSettings: { path: ofParameters({}, parameters.updateProjectSettings_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.updateProjectSettings_headers), body: ofBody(bodies.updateProjectSettings_body) },
  listPreviewSdks: { query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listPreviewSdks_query) },
  requestPreview: { query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.requestPreview_headers), body: ofBody(largeBodies.requestPreview_body) },
  listMissingBlobs: { path: ofParameters({}, parameters.listMissingBlobs_path), query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listMissingBlobs_query) },
  startPreviewJob: { path: ofParameters({}, parameters.startPreviewJob_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.startPreviewJob_headers) },
  buildPreview: { query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.buildPreview_headers), body: ofBody(largeBodies.buildPreview_body) },
  listPreviewJobs: { query: ofParameters({"limit":"integer","offset":"integer","mine":"boolean"}, parameters.listPreviewJobs_query) },
  getPreviewJob: { path: ofParameters({}, parameters.getPreviewJob_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.getPreviewJob_headers) },
  deletePreviewJob: { path: ofParameters({}, parameters.deletePreviewJob_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.deletePreviewJob_headers) },
  cancelPreviewJob: { path: ofParameters({}, parameters.cancelPreviewJob_path), query: ofParameters({}, parameters.noQuery) },
  getPreviewLogs: { path: ofParameters({}, parameters.getPreviewLogs_path), query: ofParameters({"limit":"integer","offset":"integer"}, parameters.getPreviewLogs_query) },
  streamPreviewJob: { path: ofParameters({}, parameters.streamPreviewJob_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.streamPreviewJob_headers) },
  listPreviewArtifacts: { path: ofParameters({}, parameters.listPreviewArtifacts_path), query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listPreviewArtifacts_query) },
  createPreviewToken: { path: ofParameters({}, parameters.createPreviewToken_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({}, parameters.createPreviewToken_headers) },
  reportPreviewResult: { query: ofParameters({}, parameters.noQuery), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportPreviewResult_headers), body: ofBody(largeBodies.reportPreviewResult_body) },
  registerWorker: { query: ofParameters({}, parameters.noQuery), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.registerWorker_headers), body: ofBody(bodies.registerWorker_body) },
  reportHeartbeat: { query: ofParameters({}, parameters.noQuery), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportHeartbeat_headers), body: ofBody(bodies.reportHeartbeat_body) },
  claimJob: { path: ofParameters({}, parameters.claimJob_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.claimJob_headers), body: ofBody(bodies.claimJob_body) },
  reportJobProgress: { path: ofParameters({}, parameters.reportJobProgress_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportJobProgress_headers), body: ofBody(largeBodies.reportJobProgress_body) },
  createJobUploads: { path: ofParameters({}, parameters.createJobUploads_path), query: ofParameters({}, parameters.noQuery), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.createJobUploads_headers), body: ofBody(largeBodies.createJobUploads_body) },
  reportJobResult: { query: ofParameters({}, parameters.noQuery), headers: ofParameters({"x-hivesync-timestamp":"integer"}, parameters.reportJobResult_headers), body: ofBody(largeBodies.reportJobResult_body) },
  listTiers: { query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listTiers_query) },
  listTierLimits: { query: ofParameters({"limit":"integer","offset":"integer"}, parameters.listTierLimits_query) },
  getHealth: { query: ofParameters({}, parameters.noQuery) },
  getDeepHealth: { query: ofParameters({}, parameters.noQuery) },
  getDbHealth: { query: ofParameters({}, parameters.noQuery) },
  getRedisHealth: { query: ofParameters({}, parameters.noQuery) },
};
