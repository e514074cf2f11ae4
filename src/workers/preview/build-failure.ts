/** What a build that gave no result is answered with. */
import type { End } from '../sandbox/sandboxed-process.ts';
import { plainText } from './build-frames.ts';
import type { BuildFailure } from './child/protocol.ts';

const maxTextLength = 4000;

/** The failure a build process told of, field by field: what comes out of the sandbox is data, never believed whole. */
export const readFailure = (told: unknown): BuildFailure => {
  const fields: Record<string, unknown> = typeof told === 'object' && told !== null ? { ...told } : {};
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' ? plainText(value.slice(0, maxTextLength)) : undefined;
  };
  const count = (name: string): number | undefined => {
    const value = fields[name];
    return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
  };
  const failure: BuildFailure = {
    code: fields['code'] === 'UNKNOWN_IMPORT' || fields['code'] === 'OUT_OF_MEMORY' ? fields['code'] : 'BUILD_ERROR',
    message: text('message') ?? 'The build failed.',
  };
  const [file, line, column, codeFrame, specifier] = [text('file'), count('line'), count('column'), text('codeFrame'), text('import')];
  if (file !== undefined) failure.file = file;
  if (line !== undefined) failure.line = line;
  if (column !== undefined) failure.column = column;
  if (codeFrame !== undefined) failure.codeFrame = codeFrame;
  if (specifier !== undefined) failure.import = specifier;
  return failure;
};

export const crashed: BuildFailure = { code: 'CRASHED', message: 'The build process ended unexpectedly.' };

const heapIsFull = /heap limit|out of memory|Allocation failed|bad_alloc|Cannot allocate memory/iu;
/** SIGXCPU as a process' own end and as bubblewrap reports it. */
const processorTimeIsUp = (end: End): boolean => end.signal === 'SIGXCPU' || end.exitCode === 152;

export const lateFailure = (timeoutMs: number): BuildFailure => ({
  code: 'TIMEOUT',
  message: `The build took longer than the ${timeoutMs} ms it may take.`,
});

/** The failure a process' end stands for, when it ended without a word. */
export const failureOfEnd = (end: End, isLate: boolean, limits: { timeoutMs: number; memoryBytes: number; outputBytes: number }): BuildFailure => {
  if (isLate || processorTimeIsUp(end)) {
    return lateFailure(limits.timeoutMs);
  }
  if (end.reason === 'memory' || heapIsFull.test(end.errorTail)) {
    return { code: 'OUT_OF_MEMORY', message: `The build needed more than the ${limits.memoryBytes} bytes of memory it may use.` };
  }
  if (end.reason === 'output') {
    return { code: 'TOO_LARGE', message: `The build made more than the ${limits.outputBytes} bytes it may make.` };
  }
  if (end.reason === 'disk') {
    return { code: 'TOO_LARGE', message: 'The build wrote more files, or more bytes, than it may.' };
  }
  return crashed;
};
