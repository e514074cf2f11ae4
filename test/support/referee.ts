/**
 * Where the tests collect what the referee disagreed about: hand `noteDisagreement` to createApp (`onDisagreement`), and
 * call `expectAgreement()` in the describe. Any disagreement fails the test it happened in.
 */
import type { Disagreement } from '#http/referee/referee.ts';

const found: Disagreement[] = [];

export const noteDisagreement = (disagreement: Disagreement): void => void found.push(disagreement);

/** After each test of this describe nothing may have been disagreed about. */
export function expectAgreement(): void {
  afterEach('the referee agreed', () => {
    const disagreements = found.splice(0);
    if (disagreements.length > 0) throw new Error(`The referee disagreed: ${JSON.stringify(disagreements, null, 2)}`);
  });
}
