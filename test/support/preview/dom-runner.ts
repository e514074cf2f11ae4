/**
 * Runs a web bundle in a document without a browser: happy-dom's, which knows no layout and loads no image.
 * Called as `node dom-runner.ts <bundle>`; prints one line of JSON (see open-web-bundle.ts).
 */
import { readFileSync } from 'node:fs';
import { Window } from 'happy-dom';

const [bundlePath = ''] = process.argv.slice(2);
const settled = { turns: 5, everyMs: 50, withinMs: 15_000 };
const errors: string[] = [];

// Its own console has methods that only throw, which React's development build would call.
const quiet = (): void => undefined;
const noteError = (...args: unknown[]): void => void errors.push(args.map(String).join(' ').slice(0, 1000));
const console = { log: quiet, info: quiet, debug: quiet, trace: quiet, warn: quiet, group: quiet, groupCollapsed: quiet, groupEnd: quiet, error: noteError } as unknown as Console;
const window = new Window({ console, width: 390, height: 844, url: 'about:blank', settings: { enableJavaScriptEvaluation: true, suppressInsecureJavaScriptEnvironmentWarning: true } });
const { document } = window;
document.write('<!doctype html><html><body><div id="root"></div></body></html>');
window.addEventListener('error', (event) => errors.push(String((event as unknown as { message?: unknown }).message)));
process.on('uncaughtException', (error) => errors.push(error.message));
try {
  window.eval(readFileSync(bundlePath, 'utf8'));
} catch (error) {
  errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

const text = (): string => document.body.textContent;
const answer = (): void => {
  const images = [...document.querySelectorAll('img')].map((image) => image.getAttribute('src') ?? '');
  process.stdout.write(JSON.stringify({ text: text(), images, errors }), () => process.exit(0));
};
const deadline = performance.now() + settled.withinMs;
let last = '';
let still = 0;
const look = (): void => {
  still = text() === last && last !== '' ? still + 1 : 0;
  last = text();
  if (still >= settled.turns || performance.now() > deadline) answer();
  else setTimeout(look, settled.everyMs);
};
look();
