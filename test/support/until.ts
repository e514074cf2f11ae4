/** Asks again until the condition holds; fails with its name after the time is up. */
export async function until(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 10_000): Promise<void> {
  const endAt = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > endAt) throw new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
