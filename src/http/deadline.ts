import type { Route } from './route.ts';

const ordinaryMs = 30_000;
/** An upload of the largest size over a slow line. */
const uploadMs = 15 * 60_000;

/** Deadlines of single operations, for those that wait on purpose (`buildPreview`). */
export type Deadlines = Readonly<Record<string, number>>;

/** How long a request may take until its handler has answered; what streams after that has bounds of its own. */
export const deadlineOf = (route: Route, deadlines: Deadlines): number =>
  deadlines[route.operationId] ?? (route.requestBody === 'stream' ? uploadMs : ordinaryMs);
