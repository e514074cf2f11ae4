// Written by `npm run generate` from openapi/. Never edit it here.

import type { Compiled } from './runtime.gen.ts';

export declare const registerUser_body: Compiled;
export declare const loginUser_body: Compiled;
export declare const refreshTokens_body: Compiled;
export declare const consumeSessionToken_body: Compiled;
export declare const createDeviceLink_body: Compiled;
export declare const pollDeviceLink_body: Compiled;
export declare const changePassword_body: Compiled;
export declare const forgotPassword_body: Compiled;
export declare const resetPassword_body: Compiled;
export declare const verifyEmail_body: Compiled;
export declare const requestEmailChange_body: Compiled;
export declare const enrollTotp_body: Compiled;
export declare const confirmTotp_body: Compiled;
export declare const verifyMfa_body: Compiled;
export declare const updateMe_body: Compiled;
export declare const updatePreferences_body: Compiled;
export declare const createApiKey_body: Compiled;
export declare const updateApiKey_body: Compiled;
export declare const rotateApiKey_body: Compiled;
export declare const createProject_body: Compiled;
export declare const updateProject_body: Compiled;
export declare const updateProjectSettings_body: Compiled;
export declare const registerWorker_body: Compiled;
export declare const reportHeartbeat_body: Compiled;
export declare const claimJob_body: Compiled;
export declare const setUserTier_body: Compiled;
export declare const suspendUser_body: Compiled;
export declare const updateTierLimits_body: Compiled;
