/**
 * Opens a web build as the view page does: in a real Chromium, a frame of an opaque origin under the page's own policy.
 * CI=true requires Chromium; elsewhere a document without a browser stands in when there is none: it sees the text, but
 * neither the frame, nor its policy, nor pixels.
 */
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium, type Frame, type Page } from 'playwright-core';
import { framePolicy, webFrame } from '#domains/previews/web-frame.ts';
import { findOnPath } from '#platform/embedded/processes.ts';

export interface OpenedBundle {
  readonly program: 'chromium' | 'happy-dom';
  readonly text: string;
  /** What the images on the first screen are loaded from. */
  readonly images: readonly string[];
  readonly errors: readonly string[];
  /** In Chromium alone. */
  readonly page: OpenedPage | null;
}

export interface OpenedPage {
  readonly frame: Frame;
  screenshot(path: string): Promise<void>;
  close(): Promise<void>;
}

const runner = fileURLToPath(new URL('dom-runner.ts', import.meta.url));
const timeoutMs = 30_000;
const screen = { width: 390, height: 844 };

const chromiumPath = (): string | null => {
  const found = process.env['CHROMIUM_PATH'] || findOnPath(['chromium', 'chromium-browser', 'google-chrome'], process.env['PATH'] ?? '');
  if (found === null && process.env['CI'] === 'true') throw new Error('CI needs chromium on PATH, or CHROMIUM_PATH.');
  return found;
};

/** @param firstText waited for in Chromium: what the first screen shows. */
export const openWebBundle = async (bundlePath: string, firstText: string): Promise<OpenedBundle> => {
  const executablePath = chromiumPath();
  return executablePath === null ? await withoutBrowser(bundlePath) : await inChromium(executablePath, readFileSync(bundlePath), firstText);
};

/**
 * What the frame of a page shows that is there already, in Chromium; null where there is none (CI=true requires it).
 *
 * @param then what is done afterwards, while the page stays open, and what it is to show of it by itself
 */
export const frameTextOf = async (
  url: string, firstText: string, then: readonly { readonly does: () => Promise<unknown>; readonly shows: string }[] = [],
): Promise<{ text: string; errors: string[] } | null> => {
  const executablePath = chromiumPath();
  if (executablePath === null) return null;
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'], timeout: timeoutMs });
  try {
    const page = await browser.newPage({ viewport: screen });
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(url, { timeout: timeoutMs });
    const content = page.frameLocator('iframe').locator('body');
    await content.getByText(firstText).first().waitFor({ timeout: timeoutMs });
    for (const { does, shows } of then) {
      await does();
      await content.getByText(shows).first().waitFor({ timeout: timeoutMs });
    }
    return { text: await content.innerText(), errors };
  } finally {
    await browser.close();
  }
};

const inChromium = async (executablePath: string, bundle: Buffer, firstText: string): Promise<OpenedBundle> => {
  const store = await serve({ 'content-type': 'application/javascript', 'cross-origin-resource-policy': 'cross-origin', 'x-content-type-options': 'nosniff' }, bundle);
  const bundleUrl = `${store.url}bundle.js?expires=600&signature=a%2Fb`;
  const style = `<style>body{margin:0}iframe{border:0;width:${screen.width}px;height:${screen.height}px}</style>`;
  const site = await serve({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': framePolicy(bundleUrl) }, `<!doctype html>${style}${webFrame(bundleUrl, 'A "preview"')}`);
  // Root has no user namespaces of its own to build Chromium's sandbox from; what runs here is ours.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'], timeout: timeoutMs });
  const close = async (): Promise<void> => {
    await browser.close();
    await Promise.all([store, site].map(({ server }) => new Promise((resolve) => server.close(resolve))));
  };
  try {
    const page = await browser.newPage({ viewport: screen });
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.goto(site.url, { timeout: timeoutMs });
    const frame = frameOf(page);
    await frame.getByText(firstText).first().waitFor({ timeout: timeoutMs });
    const images = await frame.locator('img').evaluateAll((found) => found.map((image) => (image as unknown as { src: string }).src));
    const screenshot = async (path: string): Promise<void> => void (await page.screenshot({ path }));
    return { program: 'chromium', text: await frame.locator('body').innerText(), images, errors, page: { frame, screenshot, close } };
  } catch (error) {
    await close();
    throw error;
  }
};

const frameOf = (page: Page): Frame => {
  const frame = page.frames()[1];
  if (frame === undefined) throw new Error('The page has no frame.');
  return frame;
};

const serve = async (headers: Record<string, string>, body: Buffer | string): Promise<{ server: Server; url: string }> => {
  const server = createServer((_request, response) => response.writeHead(200, headers).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
};

const withoutBrowser = async (bundlePath: string): Promise<OpenedBundle> =>
  await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', runner, bundlePath], { env: {}, timeout: timeoutMs, killSignal: 'SIGKILL' });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code !== 0) reject(new Error(`the bundle could not be opened (${code ?? 'killed'}): ${Buffer.concat(err).toString('utf8')}`));
      else resolve({ program: 'happy-dom', page: null, ...(JSON.parse(Buffer.concat(out).toString('utf8')) as { text: string; images: string[]; errors: string[] }) });
    });
  });
