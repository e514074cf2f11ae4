/** The log of one build, as its author reads it: their files and names, no path of the machine it ran on. */
import type { SandboxKind } from '../sandbox/wall.ts';
import { plainText } from './build-frames.ts';
import type { BuildMetadata } from './build-metadata.ts';
import type { BuildFailure } from './child/protocol.ts';

/** A resolver can warn once a module; the log keeps the first ones. */
const maxLines = 500;

export class BuildLog {
  readonly #started = performance.now();
  readonly #lines: string[] = [];

  constructor(request: { sdkVersion: string; platform: string; entryFile: string; dev: boolean; environment: string }, sandbox: SandboxKind) {
    this.line(`building ${request.entryFile} for ${request.platform}${request.dev ? ' (development)' : ''}, SDK ${request.sdkVersion}, environment ${request.environment}`);
    if (sandbox !== 'bubblewrap') this.line(`sandbox: ${sandbox}`);
  }

  line(text: string): void {
    if (this.#lines.length > maxLines) return;
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(3);
    this.#lines.push(this.#lines.length === maxLines ? '… (more lines were left out)' : `${seconds.padStart(8)}s  ${plainText(text.replaceAll(/[\r\n]+/gu, ' '))}`);
  }

  built(metadata: BuildMetadata): void {
    const { modules, timings_ms: timings } = metadata;
    this.line(`modules: ${modules.sdk} of the SDK, ${modules.cached} unchanged, ${modules.transformed} transformed`);
    this.line(`graph ${timings.graph} ms, serializing ${timings.serialize} ms, assets ${timings.assets} ms`);
    this.line(`built: ${metadata.bundle.size} bytes, ${metadata.assets.length} asset files`);
  }

  failed(failure: BuildFailure): void {
    const place = failure.file === undefined ? '' : `${failure.file}${failure.line === undefined ? '' : `:${failure.line}:${failure.column ?? 1}`}: `;
    this.line(`failed: ${failure.code}: ${place}${failure.message}`);
    // Its own lines, and after the bound: the reason is what the log is read for.
    if (failure.codeFrame !== undefined) this.#lines.push(failure.codeFrame);
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}
