/**
 * The frame that shows a web build: `bundle.js` alone behind its signed URL (it carries its images), in a document of an
 * opaque origin that may run scripts and nothing else: no cookie, no storage, no form, no pop-up, no way to the page around it.
 */

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** React Native's layout stands on full-height flex boxes, as its own web template has them. */
const style = 'html,body{height:100%;margin:0}body{overflow:hidden}#root{display:flex;height:100%}';

const documentOf = (bundleUrl: string): string =>
  `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">` +
  `<meta name="referrer" content="no-referrer"><style>${style}</style></head><body><div id="root"></div>` +
  `<script src="${escaped(bundleUrl)}"></script></body></html>`;

/** The frame as markup. A document in `srcdoc` is held by the policy of the page around it: see `framePolicy`. */
export const webFrame = (bundleUrl: string, title: string): string =>
  `<iframe title="${escaped(title)}" sandbox="allow-scripts" referrerpolicy="no-referrer" srcdoc="${escaped(documentOf(bundleUrl))}"></iframe>`;

/**
 * What the page's Content-Security-Policy must allow for the frame: the script of the bundle's own origin, the style sheet
 * that react-native-web writes, and what an app may load by itself. The page's own script (if any) comes by its hash or nonce.
 */
export const framePolicy = (bundleUrl: string): string =>
  `default-src 'none'; script-src ${new URL(bundleUrl).origin}; style-src 'unsafe-inline'; img-src https: data: blob:; ` +
  `font-src https: data:; media-src https: data: blob:; connect-src https: wss:; frame-src 'self'; base-uri 'none'; form-action 'none'`;
