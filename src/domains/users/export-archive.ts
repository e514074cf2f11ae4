/** The archive of an export: a ZIP of JSON files, made while it is stored. Constant memory, however much the account holds. */
import { finished } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { ExportFile, ExportFiles, ExportSection } from '../personal-data.ts';

export interface ArchiveBounds {
  /** Rows of one section; what is beyond is left out, and the index says so. */
  readonly rows: number;
  /** Bytes of one section before compression: well below the 4 GiB at which a ZIP entry takes another form. */
  readonly sectionBytes: number;
  /** Contents of files, all together. */
  readonly fileBytes: number;
  /** Each takes some hundred bytes of memory until the archive is whole. */
  readonly files: number;
}

export const usualBounds: ArchiveBounds = { rows: 1_000_000, sectionBytes: 1024 ** 3, fileBytes: 1024 ** 3, files: 20_000 };

/** What `index.json` tells of the rest. */
interface Index {
  readonly account_id: string;
  readonly exported_at: string;
  readonly sections: { name: string; rows: number; is_complete: boolean }[];
  readonly files: { included: number; bytes: number; left_out: number };
}

/** Rows go on in pieces of about this size. */
const chunkBytes = 64 * 1024;

/** Writes the archive of an account; read `stream` to its end while it does. */
export class ExportArchive {
  readonly #zip = new ZipFile();
  readonly #bounds: ArchiveBounds;
  readonly #now: Date;

  constructor(now: Date, bounds: ArchiveBounds = usualBounds) {
    this.#now = now;
    this.#bounds = bounds;
    this.#zip.on('error', (error: Error) => this.stream.destroy(error));
    // Whoever stores it hears of an error by reading; it may come before anybody reads.
    this.stream.on('error', () => undefined);
  }

  get stream(): Readable {
    return this.#zip.outputStream as Readable;
  }

  /** Writes everything, one file after the other. A fault, or the signal, breaks `stream` off, so that no half archive is stored. */
  async write(userId: string, sections: readonly ExportSection[], files: readonly ExportFiles[], signal: AbortSignal): Promise<void> {
    try {
      const index: Index = {
        account_id: userId, exported_at: this.#now.toISOString(), sections: [], files: { included: 0, bytes: 0, left_out: 0 },
      };
      for (const section of sections) index.sections.push(await this.#addSection(section, userId, signal));
      for (const list of files) {
        for await (const file of list(userId)) await this.#addFile(file, index.files, signal);
      }
      this.#zip.addBuffer(Buffer.from(`${JSON.stringify(index, null, 2)}\n`), 'index.json', this.#entry);
      this.#zip.end();
    } catch (error) {
      this.stream.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  async #addSection(section: ExportSection, userId: string, signal: AbortSignal): Promise<Index['sections'][number]> {
    const told = { name: section.name, rows: 0, is_complete: true };
    await this.#add(`${section.name}.json`, Readable.from(this.#lines(section.rows(userId), told), { objectMode: false }), signal);
    return told;
  }

  /** A JSON array with a row in each line. */
  async *#lines(rows: AsyncIterable<object>, told: { rows: number; is_complete: boolean }): AsyncGenerator<Buffer> {
    let text = '[';
    let bytes = 0;
    for await (const row of rows) {
      if (told.rows >= this.#bounds.rows || bytes >= this.#bounds.sectionBytes) {
        told.is_complete = false;
        break;
      }
      text += `${told.rows === 0 ? '\n' : ',\n'}${JSON.stringify(row)}`;
      told.rows += 1;
      if (text.length < chunkBytes) continue;
      const chunk = Buffer.from(text);
      bytes += chunk.length;
      text = '';
      yield chunk;
    }
    yield Buffer.from(`${text}\n]\n`);
  }

  async #addFile(file: ExportFile, told: Index['files'], signal: AbortSignal): Promise<void> {
    const hasRoom = told.included < this.#bounds.files && told.bytes + file.size <= this.#bounds.fileBytes;
    const content = hasRoom ? await file.open(signal) : null;
    if (content === null) {
      told.left_out += 1;
      return;
    }
    await this.#add(file.path, content, signal);
    told.included += 1;
    told.bytes += file.size;
  }

  async #add(path: string, content: Readable, signal: AbortSignal): Promise<void> {
    content.once('error', (error: Error) => this.stream.destroy(error));
    // Whoever stores the archive may stop: then nobody reads this to its end.
    const stopped = new AbortController();
    const onClose = (): void => stopped.abort(this.stream.errored ?? new Error('Nobody reads the archive any more.'));
    this.stream.once('close', onClose);
    try {
      const ended = finished(content, { signal: AbortSignal.any([signal, stopped.signal]), cleanup: true });
      this.#zip.addReadStream(content, path, this.#entry);
      await ended;
    } finally {
      this.stream.off('close', onClose);
      content.destroy();
    }
  }

  get #entry(): { mtime: Date; mode: number } {
    return { mtime: this.#now, mode: 0o100600 };
  }
}
