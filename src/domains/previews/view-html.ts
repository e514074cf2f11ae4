/** The frame of every preview page: what it looks like, and what its policy lets it do. Pure. */
import { createHash } from 'node:crypto';

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');

export interface Page {
  readonly title: string;
  /** Markup; whatever came from somebody is escaped in it. */
  readonly body: string;
  /** Loads itself anew after so many seconds; with `script`, only where no script runs. */
  readonly refreshSeconds?: number;
  readonly script?: string;
  /** In place of the page's own policy. */
  readonly policy?: string;
  /** As wide and high as the window: for a frame with an app in it. */
  readonly isWhole?: boolean;
}

export interface WrittenPage {
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

const style = `
:root{color-scheme:light dark;--back:#f4f6f4;--card:#fff;--text:#17211b;--soft:#526057;--line:#d5dcd7;--mark:#0a6b4b;--on-mark:#fff}
@media (prefers-color-scheme:dark){:root{--back:#101512;--card:#1a211d;--text:#eef3ef;--soft:#a9b6ad;--line:#333f38;--mark:#5fd0a5;--on-mark:#0b1510}}
*{box-sizing:border-box}
html{background:var(--back);color:var(--text);font:100%/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;display:flex;flex-direction:column}
main{flex:1;width:100%;max-width:30rem;margin:0 auto;padding:1.5rem 1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:1rem;padding:1.5rem}
h1{font-size:1.375rem;line-height:1.25;margin:0 0 .25rem;overflow-wrap:anywhere}
p{margin:.75rem 0 0}
.soft{color:var(--soft);font-size:.9375rem}
.state{margin:0 0 1rem;color:var(--mark);font-size:.875rem;font-weight:600}
.qr{display:block;width:100%;max-width:22rem;height:auto;margin:1.25rem auto 0;border-radius:.5rem;border:1px solid var(--line)}
.go{display:block;margin-top:1.25rem;padding:.875rem 1rem;border-radius:.75rem;background:var(--mark);color:var(--on-mark);font-weight:600;text-align:center;text-decoration:none}
a{color:var(--mark)}
a:focus-visible,summary:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
progress{display:block;width:100%;height:.75rem;margin-top:1.25rem;accent-color:var(--mark)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:1.25rem 0 0;padding-top:1.25rem;border-top:1px solid var(--line);font-size:.9375rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
details{margin-top:1.25rem;font-size:.9375rem}summary{cursor:pointer;color:var(--soft)}
code{display:block;margin-top:.5rem;padding:.75rem;border-radius:.5rem;background:var(--back);font-size:.8125rem;overflow-wrap:anywhere;user-select:all}
footer{padding:0 1rem 1.5rem;text-align:center;color:var(--soft);font-size:.8125rem}
.whole{max-width:none;padding:0;display:flex;flex-direction:column}
.whole header{padding:.75rem 1rem;border-bottom:1px solid var(--line);background:var(--card)}
.whole h1{font-size:1rem;margin:0}.whole .state{margin:0}
iframe{flex:1;width:100%;min-height:60vh;border:0;background:#fff}
`;

/** How a policy names a script or style that stands in the page. */
export const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** What the page may load: its own style and script by their hashes, its own event stream, and nothing from anywhere else. */
const ownPolicy = (script: string | undefined): string => [
  "default-src 'none'", `style-src ${hashOf(style)}`, ...(script === undefined ? [] : [`script-src ${hashOf(script)}`, "connect-src 'self'"]),
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

export function writePage({ title, body, refreshSeconds, script, policy, isWhole = false }: Page): WrittenPage {
  const refresh = refreshSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${refreshSeconds}">`;
  const html = '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    + `<meta name="robots" content="noindex"><title>${escapeHtml(title)}</title><style>${style}</style>`
    + `${script === undefined ? refresh : `<noscript>${refresh}</noscript>`}</head><body>`
    + `<main${isWhole ? ' class="whole"' : ''}>${body}</main>${isWhole ? '' : '<footer>HiveSync preview</footer>'}`
    + `${script === undefined ? '' : `<script>${script}</script>`}</body></html>`;
  return {
    headers: {
      'Content-Type': 'text/html; charset=utf-8', 'Content-Length': String(Buffer.byteLength(html)),
      'Content-Security-Policy': policy ?? ownPolicy(script), 'X-Robots-Tag': 'noindex, nofollow',
    },
    html,
  };
}
