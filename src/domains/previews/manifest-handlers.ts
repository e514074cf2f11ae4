import { Readable } from 'node:stream';
import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { PreviewManifestService } from './manifest-service.ts';

export const previewManifestHandlers = (manifests: PreviewManifestService): Pick<Handlers, 'getPreviewManifest'> => ({
  getPreviewManifest: async ({ headers, accept }, call) => {
    const { body, headers: written } = await manifests.write(call, {
      accept, platform: headers['expo-platform'], runtimeVersion: headers['expo-runtime-version'], expectsSignature: headers['expo-expect-signature'],
    });
    return { status: 200, headers: written, stream: Readable.from([body]) };
  },
});
