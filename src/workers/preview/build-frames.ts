/**
 * What a build process tells of its work, field by field. It runs a project's sources and may have been taken over by
 * them, so nothing it sends is believed: a number is one that can be, and what is not is left out or counts as nothing.
 */
import type { ChildTimings } from './child/protocol.ts';

export type ToldProgress = { stage: 'bundling' | 'packaging'; done: number; total: number };
export type Built = { timings: ChildTimings; sources: number; sdkHits: number; projectHits: number; transformed: number };

/** Progress, or null for what can be none. */
export const readProgress = ({ stage, done, total }: Readonly<Record<string, unknown>>): ToldProgress | null => {
  if ((stage !== 'bundling' && stage !== 'packaging') || !isCount(done) || !isCount(total) || done > total) return null;
  return { stage, done, total };
};

/** The figures of a build that went well. */
export const readBuilt = (header: Readonly<Record<string, unknown>>): Built => {
  const { timings } = header;
  const told: Readonly<Record<string, unknown>> = typeof timings === 'object' && timings !== null ? { ...timings } : {};
  return {
    timings: { sourcesMs: spanOf(told['sourcesMs']), graphMs: spanOf(told['graphMs']), serializeMs: spanOf(told['serializeMs']), assetsMs: spanOf(told['assetsMs']) },
    sources: countOf(header['sources']),
    sdkHits: countOf(header['sdkHits']),
    projectHits: countOf(header['projectHits']),
    transformed: countOf(header['transformed']),
  };
};

/** Terminal sequences, other control characters and marks that turn text around; lines and tabs stay. */
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text as it may stand in a log or an error that people read. */
export const plainText = (text: string): string => text.replaceAll(control, '');

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const countOf = (value: unknown): number => (isCount(value) ? value : 0);
/** Milliseconds; no build runs for a year. */
const spanOf = (value: unknown): number => (typeof value === 'number' && value >= 0 && value < 3.2e10 ? value : 0);
