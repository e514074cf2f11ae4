import { ServiceError } from '#platform/errors.ts';

/** The ServiceError a call is refused with; fails itself when the call succeeds or throws anything else. */
export async function refusalOf(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('The call succeeded, and should not have.');
}

/** The code alone. */
export const codeOf = async (call: Promise<unknown>): Promise<string> => (await refusalOf(call)).code;
