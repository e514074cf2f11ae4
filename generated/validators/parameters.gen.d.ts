// Written by `npm run generate` from openapi/. Never edit it here.

import type { Compiled } from './runtime.gen.ts';

export declare const registerUser_query: Compiled;
export declare const listSessions_query: Compiled;
export declare const revokeSession_path: Compiled;
export declare const removeDevice_path: Compiled;
export declare const createSessionToken_headers: Compiled;
export declare const getDeviceLink_path: Compiled;
export declare const getMe_headers: Compiled;
export declare const updateMe_headers: Compiled;
export declare const getDataExport_path: Compiled;
export declare const searchUsers_query: Compiled;
export declare const updateApiKey_path: Compiled;
export declare const getTeam_path: Compiled;
export declare const listTeamMembers_query: Compiled;
export declare const updateTeamMember_path: Compiled;
export declare const listProjects_query: Compiled;
export declare const getProject_path: Compiled;
export declare const listProjectMembers_query: Compiled;
export declare const removeProjectMember_path: Compiled;
export declare const listMyInvitations_query: Compiled;
export declare const revokeInvitation_path: Compiled;
export declare const listTasks_query: Compiled;
export declare const getTask_path: Compiled;
export declare const updateLabel_path: Compiled;
export declare const attachLabel_path: Compiled;
export declare const addTaskDependency_path: Compiled;
export declare const completeAttachment_path: Compiled;
export declare const listMissingBlobs_path: Compiled;
export declare const listPreviewJobs_query: Compiled;
export declare const streamPreviewJob_headers: Compiled;
export declare const listPreviewArtifacts_query: Compiled;
export declare const reportPreviewResult_headers: Compiled;
export declare const listUsers_query: Compiled;
export declare const getUser_path: Compiled;
export declare const updateTierLimits_path: Compiled;
