/** Notes which operations the acceptance tests have called, by what went over the wire. */
import { basePath, routes } from '#generated/server/routes.gen.ts';

const matchers = routes.map((route) => ({
  operationId: route.operationId,
  method: route.method.toUpperCase(),
  pattern: new RegExp(`^${basePath}${route.template.replace(/\{[^}]+\}/g, '[^/]+')}$`),
}));

/** operationId → the statuses it was seen to answer. */
export const calledOperations = new Map<string, Set<number>>();

/** `fetch`, noting operation and status. */
export const recordingFetch: typeof fetch = async (input, init) => {
  const request = new Request(input, init);
  const response = await fetch(request);
  note(request.method, new URL(request.url).pathname, response.status);
  return response;
};

/** Notes a call that was made by other means than `recordingFetch`. */
export function note(method: string, path: string, status: number): void {
  const found = matchers.find((one) => one.method === method && one.pattern.test(path));
  if (found === undefined) return;
  const statuses = calledOperations.get(found.operationId) ?? new Set();
  statuses.add(status);
  calledOperations.set(found.operationId, statuses);
}
