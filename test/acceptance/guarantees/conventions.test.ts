/**
 * The conventions of the contract, held to the route table: which operations take an Idempotency-Key, answer an ETag,
 * honour If-Match. What a convention names and the table leaves out stands here with the reason.
 */
import { expect } from 'chai';
import { routes } from '#generated/server/routes.gen.ts';
import { answerSchema, isRecord, operations, resolved } from '../../support/properties/contract.ts';
import type { OperationRoute } from '../matrix/routes.ts';

const isSignedIn = ({ auth }: OperationRoute): boolean => auth === 'user' || auth === 'jwt' || auth === 'admin';
const missing = (named: readonly OperationRoute[], has: (route: OperationRoute) => boolean): string[] =>
  named.filter((route) => !has(route)).map(({ operationId }): string => operationId).sort();

/** POSTs of somebody signed in that make nothing and enqueue nothing: sent again they change nothing, or are refused. */
const postsWithoutKey: Readonly<Record<string, string>> = {
  acceptInvitation: 'accepting again changes nothing',
  acceptInvitationByToken: 'accepting again changes nothing',
  approveDeviceLink: 'approving again changes nothing',
  cancelPreviewJob: 'cancelling again answers the job as it is',
  completeAttachment: 'completing again answers alike',
  changePassword: 'the old password does not fit any more',
  declineInvitation: 'declining again changes nothing',
  denyDeviceLink: 'denying again changes nothing',
  logoutUser: 'the session is over: a repeat is AUTH_INVALID, which means that it is done',
  markAllNotificationsRead: 'what is read already stays as it was',
  markNotificationRead: 'marking again answers alike',
  requestAccountDeletion: 'the credential is gone: a repeat is AUTH_INVALID, which means that it is done',
  requestEmailChange: 'a newer request replaces the older',
  resendVerification: 'the newest mail counts; how many an hour is limited',
  setUserTier: 'setting the same again changes nothing',
  suspendUser: 'suspending again changes the reason alone',
  updateScalingRules: 'merging the same again changes nothing',
  unsuspendUser: 'lifting where there is none answers the account as it is',
};

/** GETs of one thing without a version. */
const readsWithoutVersion: Readonly<Record<string, string>> = {
  countUnreadNotifications: 'a count that moves with every event',
  downloadAttachment: 'its URL is another at each request',
  getDataExport: 'its URL is another at each request, and the answer is not to be stored',
  getDelivery: 'nobody edits it, and it moves with every attempt',
  getDeviceLink: 'looked at once, before it is approved',
  getPreviewStats: 'counts that move with every build',
  getQueueStats: 'counts that move with every job',
  getScalingRules: 'two rules that are merged field by field, each with who changed it last',
  getUsage: 'counts that move with every request',
  streamNotifications: 'a stream of events',
  streamPreviewJob: 'a stream of events',
};

/** Changes that overwrite nothing that somebody else may have written meanwhile. */
const changesWithoutGuard: Readonly<Record<string, string>> = {
  deleteAttachment: 'an attachment is not edited, only removed',
  detachLabel: 'on or off, nothing in between',
  endLiveSession: 'a session is not edited, only ended',
  disableTotp: 'on or off, nothing in between',
  removeDevice: 'a device is not edited, only forgotten',
  removeTaskDependency: 'there or not, nothing in between',
  removeProjectMember: 'a membership ends whatever its role became',
  removeTeamMember: 'a membership ends whatever its role became',
  revokeApiKey: 'a key ends whatever it was changed to: safety first',
  revokeInvitation: 'an open invitation is not edited, only taken back',
  revokePreviewShare: 'a share is not edited, only ended',
  revokeOtherSessions: 'sessions are not edited, only ended',
  revokeSession: 'a session is not edited, only ended',
  unfavoriteProject: 'a star is the caller\'s own: on or off',
  unstarComment: 'a star is the caller\'s own: on or off',
};

/** Whether the data of an answer with 200 are a page of a list. */
function isList(route: OperationRoute): boolean {
  const operation = operations.find((one) => one.route.operationId === route.operationId);
  const schema = operation === undefined ? null : answerSchema(operation, 200);
  const envelope = isRecord(schema) ? schema['properties'] : null;
  const data = isRecord(envelope) ? resolved(envelope['data']) : null;
  const properties = isRecord(data) ? data['properties'] : null;
  return isRecord(properties) && 'items' in properties && 'page' in properties;
}

describe('the conventions of the contract', () => {
  it('let every authenticated POST that creates or enqueues take an Idempotency-Key', () => {
    const posts = routes.filter((route) => isSignedIn(route) && route.method === 'post');
    expect(missing(posts, (route) => route.idempotent || postsWithoutKey[route.operationId] !== undefined)).to.deep.equal([]);
    // What answers 201 or 202 has made or enqueued something: there is no reason to leave the key out.
    const making = posts.filter((route) => route.responses[201] !== undefined || route.responses[202] !== undefined);
    expect(missing(making, (route) => route.idempotent)).to.deep.equal([]);
    expect(missing(routes.filter((route) => route.idempotent), isSignedIn), 'a key is kept for somebody').to.deep.equal([]);
  });

  it('let every GET of one thing answer a strong ETag', () => {
    const reads = routes.filter((route) => isSignedIn(route) && route.method === 'get' && !isList(route));
    expect(missing(reads, (route) => route.etag || readsWithoutVersion[route.operationId] !== undefined)).to.deep.equal([]);
    expect(missing(routes.filter((route) => route.etag && route.method === 'get'), (route) => route.responses[304] !== undefined), 'and If-None-Match spare it').to.deep.equal([]);
  });

  it('let every PATCH and DELETE honour If-Match', () => {
    const changes = routes.filter((route) => isSignedIn(route) && (route.method === 'patch' || route.method === 'delete'));
    expect(missing(changes, (route) => route.ifMatch || changesWithoutGuard[route.operationId] !== undefined)).to.deep.equal([]);
    const patches = changes.filter(({ method }) => method === 'patch');
    expect(missing(patches, (route) => route.ifMatch && route.etag), 'whoever changes something is told its version').to.deep.equal([]);
    expect(missing(routes.filter((route) => route.ifMatch), (route) => route.responses[412] !== undefined)).to.deep.equal([]);
  });

  it('leave out nothing that has the mark', () => {
    const marked = (excuses: Readonly<Record<string, string>>, has: (route: OperationRoute) => boolean): string[] =>
      routes.filter((route) => excuses[route.operationId] !== undefined && has(route)).map(({ operationId }): string => operationId);
    expect(marked(postsWithoutKey, (route) => route.idempotent)).to.deep.equal([]);
    expect(marked(readsWithoutVersion, (route) => route.etag)).to.deep.equal([]);
    expect(marked(changesWithoutGuard, (route) => route.ifMatch)).to.deep.equal([]);
  });
});
