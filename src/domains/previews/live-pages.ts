/** What the preview page says of a live session. Pure; whatever somebody named is escaped here. */
import type { ViewedLiveSession } from './live-access.ts';
import { sdkTitle } from './sdks.ts';
import { escapeHtml, hashOf, type Page } from './view-html.ts';
import { card, devices, facts, type OnPhone, phone, platforms } from './view-pages.ts';
import { framePolicy, webFrame } from './web-frame.ts';

/** Follows the session by its own stream, and loads the page anew when there is another bundle to show, or none any more. */
const followScript = `
(function(){
var now=document.querySelector("[data-live]"),shown=Number(now.dataset.revision),at=location.pathname.lastIndexOf("/view/");
var events=new EventSource(location.pathname.slice(0,at)+"/live-sessions/"+now.dataset.live+"/events?token="+location.pathname.slice(at+6));
events.addEventListener("revision",function(event){var one=JSON.parse(event.data);if(one.status==="ready"&&one.revision>shown){events.close();location.reload()}});
events.addEventListener("ended",function(){events.close();location.reload()});
})();`;

const told = (id: string, revision: number): string => `<p class="soft" data-live="${id}" data-revision="${revision}" role="status">Each edit is shown as soon as it is built.</p>`;

const factsOf = (session: ViewedLiveSession): string => facts([
  ['For', platforms[session.target_platform]], ['SDK', sdkTitle(session.sdk_version)], ['Environment', session.dev ? `${session.environment}, with warnings` : session.environment],
]);

export function liveStartingPage(session: ViewedLiveSession): Page {
  return {
    title: `${session.project_name} – live`, script: followScript, refreshSeconds: 5,
    body: card('Live', session.project_name, `<p>The first bundle is being built…</p>${told(session.id, -1)}${factsOf(session)}`),
  };
}

/** The phone hears of edits by itself: this page only brings it there. */
export function livePage(session: ViewedLiveSession, onPhone: OnPhone): Page {
  return { title: `${session.project_name} – live`, body: card('Live', session.project_name, phone(onPhone, devices[session.target_platform]) + factsOf(session)) };
}

/** The app itself, as webPage shows it, and the next one as soon as it is built. */
export function liveWebPage(session: ViewedLiveSession, revision: number, bundleUrl: string): Page {
  const policy = framePolicy(bundleUrl).replace('script-src ', `script-src ${hashOf(followScript)} `).replace('connect-src ', "connect-src 'self' ");
  return {
    title: `${session.project_name} – live`, isWhole: true, policy: `${policy}; frame-ancestors 'none'`, script: followScript,
    body: `<header><h1>${escapeHtml(session.project_name)}</h1>${told(session.id, revision)}</header>${webFrame(bundleUrl, `Preview of ${session.project_name}`)}`,
  };
}
