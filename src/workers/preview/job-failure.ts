/** How a build's end without a bundle is told to the backend. */
import type { JobFailure, JobFailureKind } from '#generated/sdk/types.gen.ts';
import { BlobMismatch } from '../blob-cache.ts';
import { isTransferFailure, TransferFailed, TransferRefused } from '../transfers.ts';
import type { BuildFailure, FailureCode } from './builder.ts';
import { SourcesInvalid } from './fetch-sources.ts';
import { SourcePathsRefused } from './sources.ts';

const maxMessageLength = 2_000;
const maxFrameLength = 8_000;
const maxNameLength = 1_024;

/** A relative import that no file answers is told as what it is: the user's own file is missing, not a package. */
const kindOf = (code: FailureCode, specifier: string | undefined): JobFailureKind => {
  switch (code) {
    case 'UNKNOWN_IMPORT': return specifier !== undefined && /^[./]/u.test(specifier) ? 'missing_file' : 'unknown_import';
    case 'BUILD_ERROR': return specifier === undefined ? 'build_error' : 'missing_file';
    case 'TIMEOUT': return 'timeout';
    case 'OUT_OF_MEMORY': return 'out_of_memory';
    case 'TOO_LARGE': return 'too_large';
    case 'CRASHED': return 'crashed';
  }
};

/** @param redact strikes host paths and secrets out of a text */
export function failureOfBuild(failure: BuildFailure, redact: (text: string) => string): JobFailure {
  const kind = kindOf(failure.code, failure.import);
  return {
    kind,
    message: cut(redact(failure.message), maxMessageLength) || 'The build failed.',
    // The same sources fail the same way again; a process that fell over may have been unlucky.
    retryable: kind === 'crashed',
    file: failure.file === undefined ? null : cut(failure.file, maxNameLength),
    line: failure.line ?? null,
    // The builder counts columns from 1, the contract from 0.
    column: failure.column === undefined ? null : Math.max(0, failure.column - 1),
    code_frame: failure.codeFrame === undefined ? null : cut(failure.codeFrame, maxFrameLength),
    import_name: failure.import === undefined ? null : cut(failure.import, maxNameLength),
  };
}

/** What was thrown on the way to or from storage, told; null for what is no such failure. */
export function failureOfTransfer(error: unknown): JobFailure | null {
  if (error instanceof TransferFailed || error instanceof TransferRefused || error instanceof BlobMismatch || isTransferFailure(error)) {
    return { kind: 'storage_unavailable', message: 'The sources could not be read or the artifacts not written. Try again.', retryable: true };
  }
  if (error instanceof SourcesInvalid) return { kind: 'storage_unavailable', message: error.message, retryable: true };
  if (error instanceof SourcePathsRefused) {
    const [fault] = error.faults;
    return {
      kind: 'build_error',
      message: cut(fault === undefined ? error.message : `${JSON.stringify(fault.path)}: ${fault.message}`, maxMessageLength),
      retryable: false,
    };
  }
  return null;
}

export const tooLarge = (message: string): JobFailure => ({ kind: 'too_large', message, retryable: false });

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
