/**
 * What a deleted project leaves behind, and how it goes. A domain that comes to keep something of projects adds a stage in
 * its `erasure.ts`; src/project-data.ts lists them in order.
 */

/** One part of a project's data, erased when the project was deleted. */
export interface ProjectErasureStage {
  /** `previews`: under this name the project's erasure notes that it is done. Never renamed. */
  readonly name: string;
  /**
   * Erases in short steps until nothing is left, and answers how much went. Run again, also after a part of the work, it
   * ends the same. Throws the signal's reason where it aborts.
   *
   * @param isLast whether no later round follows; what is still to be told of the deletion may stay until then
   */
  run(projectId: string, signal: AbortSignal, isLast?: boolean): Promise<number>;
}
