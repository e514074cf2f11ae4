/** Texts that a string schema takes. */
import fc from 'fast-check';
import { numberOf, takes, type Schema } from './contract.ts';

/** Longer ones are left to the single text at the bound. */
const usualLength = 40;
const boundaryLength = 4_096;

/** Times whose form is right and which are seldom met. */
const oddTimes = [
  '2026-03-02t09:00:00z', '1990-12-31T23:59:60Z', '0001-01-01T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999-23:59',
  '2024-02-29T12:00:00.123456789Z', '2026-03-02T09:00:00+23:59', '2026-03-02 09:00:00Z',
];

/** By the schema's text: to make one takes longer than to draw from it. */
const known = new Map<string, fc.Arbitrary<string>>();

/** Every text of the schema, without U+0000, which no operation takes. */
export function textOf(schema: Schema): fc.Arbitrary<string> {
  const key = JSON.stringify(schema);
  const texts = known.get(key) ?? newTextOf(schema);
  known.set(key, texts);
  return texts;
}

function newTextOf(schema: Schema): fc.Arbitrary<string> {
  const minLength = numberOf(schema['minLength']) ?? 0;
  const maxLength = numberOf(schema['maxLength']) ?? minLength + usualLength;
  return rawText(schema, minLength, maxLength).filter((text) => !text.includes('\0') && takes(schema, text));
}

function rawText(schema: Schema, minLength: number, maxLength: number): fc.Arbitrary<string> {
  switch (schema['format']) {
    case 'uuid': return fc.uuid();
    case 'email': return fc.emailAddress();
    case 'uri': return fc.webUrl({ withFragments: true, withQueryParameters: true });
    case 'date': return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }).map((date) => date.toISOString().slice(0, 10));
    case 'date-time': return fc.oneof(
      { weight: 4, arbitrary: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }).map((date) => date.toISOString()) },
      { weight: 1, arbitrary: fc.constantFrom(...oddTimes) },
    );
    default:
  }
  const usual = Math.min(maxLength, minLength + usualLength);
  if (typeof schema['pattern'] === 'string') return fc.stringMatching(bounded(schema['pattern'], minLength, usual));
  const unit = fc.oneof({ weight: 3, arbitrary: fc.constant('grapheme-ascii' as const) }, { weight: 1, arbitrary: fc.constant('binary' as const) });
  const texts = unit.chain((kind) => fc.string({ unit: kind, minLength, maxLength: usual }));
  if (maxLength > boundaryLength) return texts;
  return fc.oneof({ weight: 6, arbitrary: texts }, { weight: 1, arbitrary: fc.constantFrom('x'.repeat(maxLength), '🙂'.repeat(maxLength)) });
}

/** `^[…]+$` with the bounds of length put in, so that few texts have to be thrown away. */
function bounded(pattern: string, minLength: number, maxLength: number): RegExp {
  const single = /^\^(\[(?:\\.|[^\]\\])+\])([+*])\$$/u.exec(pattern);
  if (single === null) return new RegExp(pattern, 'u');
  const least = Math.max(minLength, single[2] === '+' ? 1 : 0);
  return new RegExp(`^${single[1] ?? ''}{${least},${Math.max(least, maxLength)}}$`, 'u');
}
