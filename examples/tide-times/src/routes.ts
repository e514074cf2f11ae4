export type Routes = { Harbours: undefined; Harbour: { name: string } };
