/** How a live session is asked for, and what it gives a phone. */
import type { LiveSessionCreated } from '#generated/sdk/types.gen.ts';
import type { BuildOptions } from './build.ts';
import type { LiveUpdate } from './live-updates.ts';

export interface Following {
  readonly onUpdate?: (update: LiveUpdate) => void;
  /** Ends the session, as `close` does. */
  readonly signal?: AbortSignal;
  /** Looks at the folder this often, in place of waiting for the system's word: on network drives and some mounted folders none comes. */
  readonly pollMs?: number;
}

/** Builds the folder first, as `build` does with the same options. */
export interface LiveBuildOptions extends BuildOptions, Following { readonly jobId?: undefined }

/** Goes on from a preview that has succeeded. The folder wins: all of it is sent once, by hash where the project has it. */
export interface LiveJobOptions extends Following {
  readonly jobId: string;
  readonly ignore?: (path: string) => boolean;
}

export type LiveOptions = LiveBuildOptions | LiveJobOptions;

/** How a phone comes to the session. Whoever has one of these sees the app. */
export interface LivePhone {
  /** To be shown as a QR code: the deep link, or the page for the web. */
  readonly qrText: string;
  /** Opens a development build, or Expo Go where the SDK set is Expo's; null for the web. */
  readonly deepLink: string | null;
  /** A page with the QR code; for the web the app itself. */
  readonly viewUrl: string;
  readonly manifestUrl: string;
  readonly eventsUrl: string;
  readonly token: string;
  readonly expiresInSeconds: number;
}

export const phoneOf = (created: LiveSessionCreated): LivePhone => ({
  qrText: created.deep_link ?? created.view_url, deepLink: created.deep_link, viewUrl: created.view_url, manifestUrl: created.manifest_url,
  eventsUrl: created.events_url, token: created.token, expiresInSeconds: created.expires_in,
});
