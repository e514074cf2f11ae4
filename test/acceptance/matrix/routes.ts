import { routes } from '#generated/server/routes.gen.ts';

export type OperationRoute = (typeof routes)[number];

export function routeOf(operationId: string): OperationRoute {
  const route = routes.find((one) => one.operationId === operationId);
  if (route === undefined) throw new Error(`${operationId} is not mounted.`);
  return route;
}
