// Written by `npm run generate` from openapi/. Never edit it here.

import type { Compiled } from './runtime.gen.ts';

export declare const requestPreview_body: Compiled;
export declare const buildPreview_body: Compiled;
export declare const pushLiveChanges_body: Compiled;
export declare const reportPreviewResult_body: Compiled;
export declare const reportJobProgress_body: Compiled;
export declare const createJobUploads_body: Compiled;
