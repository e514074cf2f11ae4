/** What the preview page says in each state. Pure; whatever somebody named is escaped here. */
import { sdkTitle } from './sdks.ts';
import type { ServiceError } from '#platform/errors.ts';
import { qrCode } from './qr-code.ts';
import { escapeHtml, type Page } from './view-html.ts';
import type { ViewedJob } from './view-access.ts';
import { framePolicy, webFrame } from './web-frame.ts';

export const platforms = { ios: 'iPhone and iPad', android: 'Android', web: 'the web' } as const;

const words: Readonly<Record<string, string>> = {
  waiting: 'Waiting for the sources…', queued: 'Waiting for a builder…', fetching: 'Fetching the sources…', bundling: 'Bundling…', packaging: 'Packaging…', uploading: 'Almost there…',
};

/** Follows the build by its events, and loads the page anew when there is another one to show. */
const liveScript = `
(function(){
var words=${JSON.stringify(words)};
var bar=document.querySelector("progress"),text=document.getElementById("now");
var events=new EventSource(location.pathname+"/events");
events.addEventListener("status",function(event){
var now=JSON.parse(event.data);
if(now.status!=="queued"&&now.status!=="running"){events.close();location.reload();return}
text.textContent=words[now.awaiting_upload?"waiting":now.stage||"queued"];
if(now.status==="running")bar.value=now.progress;else bar.removeAttribute("value");
});
events.onerror=function(){if(events.readyState===2)setTimeout(function(){location.reload()},5000)};
})();`;

export const card = (state: string, name: string, rest: string): string =>
  `<div class="card"><p class="state">${state}</p><h1>${escapeHtml(name)}</h1>${rest}</div>`;

export const facts = (pairs: readonly (readonly [string, string])[]): string =>
  `<dl>${pairs.map(([term, text]) => `<dt>${term}</dt><dd>${escapeHtml(text)}</dd>`).join('')}</dl>`;

const ofJob = (job: ViewedJob): string => facts([
  ['For', platforms[job.target_platform]], ['SDK', sdkTitle(job.sdk_version)], ['Environment', job.dev ? `${job.environment}, with warnings` : job.environment],
  ...(job.bundle_bytes === null ? [] : [['Bundle', sizeOf(job.bundle_bytes)] as const]),
]);

export function buildingPage(job: ViewedJob): Page {
  const text = words[job.queued_at === null ? 'waiting' : job.stage ?? 'queued'] ?? '';
  const value = job.status === 'running' ? ` value="${job.progress}"` : '';
  return {
    title: `${job.project_name} – being built`, script: liveScript, refreshSeconds: 5,
    body: card('Being built', job.project_name, `<p id="now" role="status" aria-live="polite">${text}</p>`
      + `<progress max="100"${value} aria-label="Progress of the build"></progress>`
      + `<p class="soft">This page shows the preview as soon as it is there.</p>${ofJob(job)}`),
  };
}

export interface OnPhone {
  readonly deepLink: string;
  readonly manifestUrl: string;
  /** What opens it there. */
  readonly client: string;
}

export const phone = ({ deepLink, manifestUrl, client }: OnPhone, device: string): string =>
  `<p>Scan this with the camera of ${device} that has ${client}, or tap the button there.</p>`
  + qrCode(deepLink, 'QR code that opens this preview in a development build')
  + `<a class="go" href="${escapeHtml(deepLink)}">Open on this device</a>`
  + `<details><summary>Nothing opens?</summary><p class="soft">The development build must be installed, and made for the same runtime. It also takes this address by hand:</p><code>${escapeHtml(manifestUrl)}</code></details>`;

export const devices = { ios: 'an iPhone or iPad', android: 'an Android device', web: 'a device' } as const;

export function readyPage(job: ViewedJob, onPhone: OnPhone): Page {
  return { title: `${job.project_name} – preview`, body: card('Ready', job.project_name, phone(onPhone, devices[job.target_platform]) + ofJob(job)) };
}

/** The app itself, in a frame of an opaque origin that can do nothing to the page around it. */
export function webPage(job: ViewedJob, bundleUrl: string): Page {
  return {
    title: `${job.project_name} – preview`, isWhole: true, policy: `${framePolicy(bundleUrl)}; frame-ancestors 'none'`,
    body: `<header><h1>${escapeHtml(job.project_name)}</h1><p class="soft state">${escapeHtml(sdkTitle(job.sdk_version))}, ${escapeHtml(job.environment)}</p></header>${webFrame(bundleUrl, `Preview of ${job.project_name}`)}`,
  };
}

/** Who merely has the link is not told what the sources say. */
const failures: Readonly<Record<string, string>> = {
  build_error: 'A file of it does not compile.', unknown_import: 'It imports a package that its SDK set does not have.', missing_file: 'A file that it imports is missing.',
  timeout: 'The build took longer than it may.', too_large: 'What came out is too large.', out_of_memory: 'The build ran out of memory.',
};

export function endedPage(job: ViewedJob): Page {
  const isCancelled = job.status === 'cancelled';
  const why = isCancelled ? 'The build was stopped before it was done.' : failures[job.failure?.kind ?? ''] ?? 'The build did not come through.';
  return {
    title: `${job.project_name} – no preview`,
    body: card(isCancelled ? 'Stopped' : 'Not built', job.project_name, `<p role="status">${why}</p><p class="soft">Members of the project see in the job where and why. Ask whoever sent you the link for a new one.</p>${ofJob(job)}`),
  };
}

export interface SessionView {
  readonly projectName: string;
  readonly platform: keyof typeof platforms;
  readonly bundleBytes: number | null;
}

export function awaitingPage({ projectName, platform }: SessionView): Page {
  return {
    title: `${projectName} – waiting`, refreshSeconds: 5,
    body: card('Waiting', projectName, `<p role="status">The bundle has not been uploaded yet.</p><p class="soft">This page looks again every five seconds.</p>${facts([['For', platforms[platform]]])}`),
  };
}

export function clientBundlePage({ projectName, platform, bundleBytes }: SessionView, onPhone: OnPhone): Page {
  const rest = facts([['For', platforms[platform]], ['Built by', 'the sender, not by HiveSync'], ['Bundle', sizeOf(bundleBytes ?? 0)]]);
  return { title: `${projectName} – preview`, body: card('Ready', projectName, phone(onPhone, devices[platform]) + rest) };
}

/** @param deepLink null for whoever is not the owner, who alone may see the address */
export function devServerPage({ projectName, platform }: SessionView, deepLink: string | null): Page {
  const rest = deepLink === null
    ? '<p>This preview runs on its owner\'s own computer and is shown to its owner alone.</p>'
    : `<p>Scan this with ${devices[platform]} on the network of your computer.</p>${qrCode(deepLink, 'QR code that opens your development server in a development build')}<a class="go" href="${escapeHtml(deepLink)}">Open on this device</a>`;
  return { title: `${projectName} – development server`, body: card('Development server', projectName, rest + facts([['For', platforms[platform]]])) };
}

/** What went wrong with a link, in words for whoever was sent it. */
const refusals: Readonly<Record<string, readonly [title: string, text: string]>> = {
  AUTH_EXPIRED: ['This link\'s time is over', 'Links to previews work for a short while. Ask whoever sent it for a fresh one, or make one yourself if you are in the project.'],
  AUTH_INVALID: ['This link is not whole', 'Some of it was lost or changed on the way. Copy the whole link, or ask for it again.'],
  NOT_FOUND: ['There is no preview here', 'Its project is gone, or the link leads to something else.'],
  'GONE expired': ['This preview has expired', 'What was built is kept for a while and then removed. Whoever made it can build it again.'],
  'GONE deleted': ['This preview was deleted', 'Whoever made it took it away. Ask for a new one.'],
  'GONE revoked': ['This preview is not shared with you any more', 'Whoever shared it took the share back, or its time was over. Ask to have it shared again.'],
  'GONE withheld': ['This preview cannot be shown now', 'It is held back at the moment. Try again another time.'],
  GONE: ['This preview is over', 'Ask whoever sent you the link for a new one.'],
  RATE_LIMITED: ['Too many visits at once', 'Wait a little and load this page again.'],
};

export function refusalPage({ code, details, status }: ServiceError): Page {
  const why: unknown = typeof details === 'object' && details !== null ? Reflect.get(details, 'gone') : undefined;
  const [title, text] = refusals[`${code} ${String(why)}`] ?? refusals[code]
    ?? (status >= 500 ? ['This did not work', 'That is our fault. Load the page again in a moment.'] : ['This link cannot be shown', 'Ask whoever sent it for a new one.']);
  return { title, body: card('No preview', title, `<p role="status">${text}</p>`) };
}

const sizeOf = (bytes: number): string => (bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`);
