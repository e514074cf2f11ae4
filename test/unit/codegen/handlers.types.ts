/**
 * What the compiler must refuse of a handler. Nothing here runs: `tsc` fails where one of the marked lines is not an
 * error any more.
 */
import type { CreateProjectReply, GetProjectReply, Handlers, ListProjectsRequest, OperationId } from '#generated/server/handlers.gen.ts';
import type { ErrorCode } from '#generated/server/errors.gen.ts';
import type { Project } from '#generated/sdk/types.gen.ts';
import type { AnyHandler } from '#http/route.ts';

declare const project: Project;
const headers = { Location: `/api/v1/projects/${project.id}` };

export const good: Pick<Handlers, 'createProject' | 'getProject' | 'deleteProject' | 'updateProject'> = {
  createProject: ({ body, headers: { 'idempotency-key': key } }, call) =>
    Promise.resolve({ status: 201, body: { ...project, name: body.name, description: key ?? call.requestId }, headers }),
  getProject: ({ path }) => Promise.resolve({ status: 200, body: { ...project, id: path.project_id }, etag: project.updated_at }),
  deleteProject: () => Promise.resolve({ status: 204 }),
  updateProject: ({ body }) => Promise.resolve({ status: 200, body: { ...project, name: body.name ?? project.name }, etag: 'a' }),
};

/** Every handler is one the pipeline can call. */
export const callable: Readonly<Partial<Record<OperationId, AnyHandler>>> = good;

/** A query parameter with a default is there; one without may be missing. */
export const limit = ({ query }: ListProjectsRequest): number => query.limit;
// @ts-expect-error offset has no default
export const offset = ({ query }: ListProjectsRequest): number => query.offset;

// @ts-expect-error a value that the contract's enum does not have
export const wrongEnum: GetProjectReply = { status: 200, body: { ...project, role: 'root' }, etag: 'a' };
// @ts-expect-error a status that is not documented
export const wrongStatus: GetProjectReply = { status: 418, body: project, etag: 'a' };
// @ts-expect-error an error is thrown, not answered
export const answeredError: GetProjectReply = { status: 404, body: project, etag: 'a' };
// @ts-expect-error another success than the documented one
export const otherSuccess: CreateProjectReply = { status: 200, body: project, headers };
// @ts-expect-error a required field is missing
export const missingField: GetProjectReply = { status: 200, body: { id: project.id }, etag: 'a' };
// @ts-expect-error a field that the contract does not name
export const extraField: GetProjectReply = { status: 200, body: { ...project, password_hash: 'x' }, etag: 'a' };
// @ts-expect-error no body
export const noBody: GetProjectReply = { status: 200, etag: 'a' };
// @ts-expect-error no entity tag, where the contract promises one
export const noEtag: GetProjectReply = { status: 200, body: project };
// @ts-expect-error no Location, where the contract promises one
export const noLocation: CreateProjectReply = { status: 201, body: project };
// @ts-expect-error null for a field that is never null
export const nullField: GetProjectReply = { status: 200, body: { ...project, name: null }, etag: 'a' };
// @ts-expect-error no such operation
export const noOperation: OperationId = 'destroyProject';
// @ts-expect-error no such error code
export const noCode: ErrorCode = 'TEAPOT';
// @ts-expect-error a handler that is missing
export const incomplete: Pick<Handlers, 'getProject' | 'deleteProject'> = { deleteProject: good.deleteProject };
