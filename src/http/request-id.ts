import { newId } from '#platform/ids.ts';

/** Letters, digits and the few marks that id schemes use; bounded, so that a client cannot fill our logs. */
const sane = /^[A-Za-z0-9][A-Za-z0-9._:-]{7,127}$/;

/** The client's own id if it is a sane token, else a new one. */
export function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && sane.test(given) ? given : newId();
}
