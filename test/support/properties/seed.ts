/** PROPERTY_SEED repeats a run; PROPERTY_RUNS makes it longer. */
const numberFrom = (name: string, otherwise: number): number => {
  const value = Number(process.env[name] ?? otherwise);
  if (!Number.isSafeInteger(value)) throw new Error(`${name} is not a number.`);
  return value;
};

/** Of every property of this process. The same each time unless told: what a change breaks shows with that change. */
export const seed = numberFrom('PROPERTY_SEED', 20_260_302);
/** Runs per operation and property. */
export const runs = numberFrom('PROPERTY_RUNS', 5);
