import { HiveSyncError } from '#sdk/index.ts';

/** The error a call of the SDK fails with; fails itself when the call succeeds or throws anything else. */
export async function failureOf(call: Promise<unknown>): Promise<HiveSyncError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof HiveSyncError) return error;
    throw error;
  }
  throw new Error('The call succeeded, and should not have.');
}
