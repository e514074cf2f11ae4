// Written by `npm run generate` from openapi/. Never edit it here.

import type { Compiled } from './runtime.gen.ts';

export declare const registerUser_201: Compiled;
export declare const shared_ErrorEnvelope: Compiled;
export declare const loginUser_200: Compiled;
export declare const refreshTokens_200: Compiled;
export declare const getMe_200: Compiled;
export declare const listProjects_200: Compiled;
export declare const createProject_201: Compiled;
export declare const getProject_200: Compiled;
export declare const updateProject_200: Compiled;
export declare const getProjectSettings_200: Compiled;
export declare const updateProjectSettings_200: Compiled;
export declare const listPreviewSdks_200: Compiled;
export declare const requestPreview_202: Compiled;
export declare const listMissingBlobs_200: Compiled;
export declare const startPreviewJob_202: Compiled;
export declare const buildPreview_200: Compiled;
export declare const listPreviewJobs_200: Compiled;
export declare const getPreviewJob_200: Compiled;
export declare const cancelPreviewJob_200: Compiled;
export declare const getPreviewLogs_200: Compiled;
export declare const listPreviewArtifacts_200: Compiled;
export declare const createPreviewToken_201: Compiled;
export declare const reportPreviewResult_200: Compiled;
export declare const registerWorker_200: Compiled;
export declare const reportHeartbeat_200: Compiled;
export declare const claimJob_200: Compiled;
export declare const reportJobProgress_200: Compiled;
export declare const createJobUploads_200: Compiled;
export declare const reportJobResult_200: Compiled;
export declare const listTiers_200: Compiled;
export declare const listTierLimits_200: Compiled;
export declare const getHealth_200: Compiled;
export declare const getDeepHealth_200: Compiled;
export declare const getDbHealth_200: Compiled;
export declare const getRedisHealth_200: Compiled;
