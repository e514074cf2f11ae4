/** PROPERTY_SEED repeats a run; PROPERTY_RUNS makes it longer. */
const numberFrom = (name: string, otherwise: number): number => {
  const value = Number(process.env[name] ?? otherwise);
  if (!Number.isSafeInteger(value)) throw new Error(`${name} is not a number.`);
  return value;
};

/** Of every property of this process. */
export const seed = numberFrom('PROPERTY_SEED', Math.trunc(Math.random() * 0x7fffffff));
/** Runs per operation and property. */
export const runs = numberFrom('PROPERTY_RUNS', 5);
