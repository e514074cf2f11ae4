/** The composition root of the backend's own process group: platform, services, job kinds, handlers. */
import type { Environment } from '#config/environment.ts';
import { Administrators } from '#domains/admin/administrators.ts';
import { adminHandlers } from '#domains/admin/handlers.ts';
import { StandingService } from '#domains/admin/standing-service.ts';
import { AdminUserService } from '#domains/admin/users-service.ts';
import { apiKeyHandlers } from '#domains/apikeys/handlers.ts';
import { ApiKeyService } from '#domains/apikeys/service.ts';
import { authHandlers } from '#domains/auth/handlers.ts';
import { SignInAttempts } from '#domains/auth/attempts.ts';
import { AccountChanges } from '#domains/auth/account-changes.ts';
import { Credentials } from '#domains/auth/credentials.ts';
import { DeviceLinkService } from '#domains/auth/device-link-service.ts';
import { LastSeen } from '#domains/auth/last-seen.ts';
import { linkHandlers } from '#domains/auth/link-handlers.ts';
import { Passwords } from '#domains/auth/passwords.ts';
import { createProofs } from '#domains/auth/proofs.ts';
import { RefreshService } from '#domains/auth/refresh-service.ts';
import { Revocations } from '#domains/auth/revocations.ts';
import { AuthService } from '#domains/auth/service.ts';
import { sessionHandlers } from '#domains/auth/session-handlers.ts';
import { SessionService } from '#domains/auth/session-service.ts';
import { SessionTokenService } from '#domains/auth/session-token-service.ts';
import { SignIns } from '#domains/auth/sign-ins.ts';
import { logAlert } from '#domains/auth/suspicions.ts';
import { authSweeps } from '#domains/auth/sweeps.ts';
import { UserCodeGuesses } from '#domains/auth/user-codes.ts';
import { CommentDeletionService } from '#domains/comments/deletion-service.ts';
import { commentHandlers } from '#domains/comments/handlers.ts';
import { CommentService } from '#domains/comments/service.ts';
import { CommentStarService } from '#domains/comments/stars-service.ts';
import { healthHandlers } from '#domains/health/handlers.ts';
import { HealthService } from '#domains/health/service.ts';
import { digestKind, digestSchedule, digestTemplate } from '#domains/notifications/digest.ts';
import { dueSoonKind, dueSoonSchedule } from '#domains/notifications/due-soon.ts';
import { notificationConsumers } from '#domains/notifications/events.ts';
import { NotificationFeed } from '#domains/notifications/feed.ts';
import { notificationHandlers } from '#domains/notifications/handlers.ts';
import { InboxService } from '#domains/notifications/inbox-service.ts';
import { notificationMails } from '#domains/notifications/mails.ts';
import { notificationSweep } from '#domains/notifications/retention.ts';
import { NotificationService } from '#domains/notifications/service.ts';
import { NotificationStream } from '#domains/notifications/stream.ts';
import { tellInvited, tellInviter, tellTransfer } from '#domains/invitations/events.ts';
import { invitationHandlers } from '#domains/invitations/handlers.ts';
import { InvitingService } from '#domains/invitations/inviting-service.ts';
import { invitationMails } from '#domains/invitations/mails.ts';
import { OpenInvitationService } from '#domains/invitations/open-service.ts';
import { InvitationService } from '#domains/invitations/service.ts';
import { sweepInvitations } from '#domains/invitations/sweep.ts';
import { sweepBlobs } from '#domains/previews/blobs-clean-up.ts';
import { expirySweeps } from '#domains/previews/expiry-clean-up.ts';
import { previewHandlers } from '#domains/previews/handlers.ts';
import { PreviewEndingService } from '#domains/previews/ending-service.ts';
import { PreviewJobService } from '#domains/previews/jobs.ts';
import { previewKind } from '#domains/previews/kind.ts';
import { sweepIdleSessions, sweepLiveSessions } from '#domains/previews/live-clean-up.ts';
import { liveSessionHandlers } from '#domains/previews/live-handlers.ts';
import { liveKind } from '#domains/previews/live-kind.ts';
import { LiveSessionService } from '#domains/previews/live-service.ts';
import { LiveStream } from '#domains/previews/live-stream.ts';
import { readManifestKey } from '#domains/previews/manifest-form.ts';
import { previewManifestHandlers } from '#domains/previews/manifest-handlers.ts';
import { PreviewManifestService } from '#domains/previews/manifest-service.ts';
import { PreviewService } from '#domains/previews/service.ts';
import { sweepSessions } from '#domains/previews/sessions-clean-up.ts';
import { previewSessionHandlers } from '#domains/previews/sessions-handlers.ts';
import { PreviewSessionService } from '#domains/previews/sessions-service.ts';
import { PreviewUploadService } from '#domains/previews/sessions-upload.ts';
import { previewSharingHandlers } from '#domains/previews/sharing-handlers.ts';
import { PreviewSharingService } from '#domains/previews/sharing-service.ts';
import { PreviewSources } from '#domains/previews/sources.ts';
import { PreviewStatisticsService } from '#domains/previews/statistics-service.ts';
import { PreviewStream } from '#domains/previews/stream.ts';
import { sweepStrays } from '#domains/previews/stray-objects.ts';
import { previewSweeps } from '#domains/previews/sweeps.ts';
import { PreviewTokenDesk } from '#domains/previews/tokens.ts';
import { previewViewHandlers } from '#domains/previews/view-handlers.ts';
import { PreviewViewService } from '#domains/previews/view-service.ts';
import { ActivityService } from '#domains/projects/activity-service.ts';
import { ProjectErasures } from '#domains/projects/erasures.ts';
import { FavoriteService } from '#domains/projects/favorites-service.ts';
import { projectHandlers } from '#domains/projects/handlers.ts';
import { projectMemberHandlers } from '#domains/projects/members-handlers.ts';
import { ProjectMemberService } from '#domains/projects/members-service.ts';
import { ProjectMembershipService } from '#domains/projects/membership-service.ts';
import { ProjectService } from '#domains/projects/service.ts';
import { projectTagHandlers } from '#domains/projects/tags-handlers.ts';
import { ProjectTagService } from '#domains/projects/tags-service.ts';
import { ProjectTemplateService } from '#domains/projects/templates-service.ts';
import { TransferService } from '#domains/projects/transfer-service.ts';
import { searchHandlers } from '#domains/search/handlers.ts';
import { SearchService } from '#domains/search/service.ts';
import { Arrivals } from '#domains/tasks/arrivals.ts';
import { AttachmentErasing } from '#domains/tasks/attachment-erasing.ts';
import { AttachmentService } from '#domains/tasks/attachments-service.ts';
import { Completing } from '#domains/tasks/completing.ts';
import { DependencyService } from '#domains/tasks/dependencies-service.ts';
import { taskHandlers } from '#domains/tasks/handlers.ts';
import { LabelService } from '#domains/tasks/labels-service.ts';
import { StartingService } from '#domains/tasks/starting-service.ts';
import { TaskService } from '#domains/tasks/service.ts';
import { teamHandlers } from '#domains/teams/handlers.ts';
import { TeamMemberService } from '#domains/teams/members-service.ts';
import { TeamMembershipService } from '#domains/teams/membership-service.ts';
import { TeamService } from '#domains/teams/service.ts';
import { tierHandlers } from '#domains/tiers/handlers.ts';
import { TierLimitCache } from '#domains/tiers/limits.ts';
import { TierService } from '#domains/tiers/service.ts';
import { userHandlers } from '#domains/users/handlers.ts';
import { PeopleService } from '#domains/users/people-service.ts';
import { PreferenceService } from '#domains/users/preference-service.ts';
import { UserService } from '#domains/users/service.ts';
import { UsageService } from '#domains/users/usage-service.ts';
import { jobAdminHandlers } from '#domains/workers/admin-handlers.ts';
import { DeadJobService } from '#domains/workers/dead-jobs-service.ts';
import { QueueStatistics } from '#domains/workers/queue-statistics.ts';
import { QueueService } from '#domains/workers/queues-service.ts';
import { workerHandlers } from '#domains/workers/handlers.ts';
import { HeartbeatSummaries, sweepHeartbeats } from '#domains/workers/heartbeats.ts';
import { NodeKeys } from '#domains/workers/node-keys.ts';
import { WorkerNodeService } from '#domains/workers/nodes-service.ts';
import { ScalingService, sweepScalingEvents } from '#domains/workers/scaling-service.ts';
import { WorkerService } from '#domains/workers/service.ts';
import { WebhookDeliveryService } from '#domains/webhooks/deliveries-service.ts';
import { sweepWebhooks } from '#domains/webhooks/erasure.ts';
import { webhookConsumers } from '#domains/webhooks/fan-out.ts';
import { webhookHandlers } from '#domains/webhooks/handlers.ts';
import { sweepDeliveries } from '#domains/webhooks/retention.ts';
import { WebhookSender } from '#domains/webhooks/sender.ts';
import { WebhookService } from '#domains/webhooks/service.ts';
import type { Handlers } from '#generated/server/handlers.gen.ts';
import { sweepIdempotencyKeys } from '#http/idempotency/sweep.ts';
import { combineConsumers } from '#jobs/combined-consumers.ts';
import type { JobKind } from '#jobs/kinds.ts';
import { mailKind, type MailTemplate } from '#jobs/mail-job.ts';
import type { EventConsumer } from '#jobs/relay.ts';
import { jobSweeps } from '#jobs/retention.ts';
import { scheduledSweeps, type ScheduledJob, type Sweep } from '#jobs/scheduled.ts';
import type { SystemJobKind } from '#jobs/system-jobs.ts';
import { JobWatch } from '#jobs/watch.ts';
import type { Clock } from '#platform/clock.ts';
import { createVault, deriveKey } from '#platform/crypto.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import type { Mailer } from '#platform/mail/mailer.ts';
import { streamUse } from '#platform/open-streams.ts';
import { createOutgoing } from '#platform/outgoing/client.ts';
import { outgoingRules } from '#platform/outgoing/rules.ts';
import type { JobProducer } from '#platform/queue.ts';
import type { Redis, Subscriber } from '#platform/redis.ts';
import { requestUse } from '#platform/request-windows.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { type AccessTokens, createAccessTokens } from '#platform/tokens/access-tokens.ts';
import { MailedTokens } from '#platform/tokens/mailed-tokens.ts';
import { createPreviewTokens, type PreviewTokens } from '#platform/tokens/preview-tokens.ts';
import { createAccountData } from './account-data.ts';
import { projectStages } from './project-data.ts';

export interface Platform {
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Logger;
  readonly db: Database;
  readonly redis: Redis;
  readonly subscriber: Subscriber;
  readonly storage: ObjectStorage;
  readonly producer: JobProducer;
  readonly mailer: Mailer;
  /** Whether the process is going down. */
  readonly isStopping: () => boolean;
}

export interface Services {
  readonly handlers: Handlers;
  readonly kinds: readonly JobKind[];
  readonly consumers: ReadonlyMap<string, EventConsumer>;
  /** What the runner of system jobs runs. */
  readonly systemKinds: readonly SystemJobKind[];
  /** What the scheduler adds by the clock. */
  readonly schedules: readonly ScheduledJob[];
  readonly tiers: TierService;
  /** How the queues are: for /metrics too. */
  readonly queueStatistics: QueueStatistics;
  readonly credentials: Credentials;
  /** To be started with the process and stopped with it. */
  readonly lastSeen: LastSeen;
  readonly webhookSender: WebhookSender;
  readonly nodeKeys: NodeKeys;
  readonly accessTokens: AccessTokens;
  readonly previewTokens: PreviewTokens;
}

/** Puts the services together. An operation that the contract mounts and nobody handles is a compile error here. */
export function createServices(on: Platform, version: string): Services {
  const { env, clock, log, db, redis, storage, producer } = on;
  const signing = { secret: env.jwtSecret, previousSecret: env.jwtSecretPrevious, issuer: env.baseUrl, clock };
  const accessTokens = createAccessTokens(signing);
  const previewTokens = createPreviewTokens(signing);
  const limits = new TierLimitCache(db, clock);
  limits.hear(on.subscriber, log);
  const tiers = new TierService({ db, clock, log, redis, limits });
  const revocations = new Revocations(redis, log);
  const refreshKey = deriveKey(env.jwtSecret, 'refresh tokens');
  const signIns = new SignIns(db, accessTokens, refreshKey);
  const sessions = new SessionService(db, revocations);
  const hashing = new Passwords();
  const proofs = createProofs({ env, clock, log, db, redis, signIns, sessions, hashing });
  const { secondFactor, verifications } = proofs;
  const auth = new AuthService({ db, clock, signIns, passwords: hashing, attempts: new SignInAttempts(redis), secondFactor, verifications });
  const refreshes = new RefreshService({ db, clock, signIns, revocations, refreshKey });
  const lastSeen = new LastSeen(db, clock, log);
  const deviceLinks = new DeviceLinkService({
    db, signIns, guesses: new UserCodeGuesses(redis), baseUrl: env.baseUrl, codeKey: deriveKey(env.jwtSecret, 'user codes'),
    previousCodeKey: env.jwtSecretPrevious === null ? null : deriveKey(env.jwtSecretPrevious, 'user codes'),
  });
  const apiKeys = new ApiKeyService({ db, clock, tiers, sessions });
  const watch = new JobWatch(redis, on.subscriber, log);
  const sources = new PreviewSources(db, storage);
  const desk = new PreviewTokenDesk(db, previewTokens, env.baseUrl);
  const kind = previewKind({ db, storage, sources, tiers, watch });
  const live = liveKind({ db, storage, sources, watch });
  const jobKinds = [kind, live];
  const previewEndings = new PreviewEndingService(jobKinds);
  const stagesOfProject = projectStages(db, storage, previewEndings);
  const projectErasures = new ProjectErasures(db, stagesOfProject, log);
  const templates = new ProjectTemplateService(db);
  const projects = new ProjectService({ db, tiers, templates, starting: new StartingService(db), builds: previewEndings, erasures: projectErasures });
  const previews = new PreviewService({ db, storage, sources, tokens: desk, projects, tiers, watch, log, maxWaitMs: env.previewMaxTimeoutMs });
  const heartbeats = new HeartbeatSummaries(db, redis, log);
  const queueStatistics = new QueueStatistics(db, redis, log);
  const previewSessions = new PreviewSessionService({ db, storage, tokens: previewTokens, tiers, allowsDevServers: env.previewDevServers });
  const manifestKey = env.previewSigningKey === null ? null : readManifestKey(env.previewSigningKey.reveal(), env.previewSigningKeyId);
  const nodeKeys = new NodeKeys(db, env.workerSharedSecret);
  const asksVerification = env.emailVerification === 'required';
  const mailedTokens = new MailedTokens(deriveKey(env.jwtSecret, 'mailed tokens'), env.jwtSecretPrevious === null ? null : deriveKey(env.jwtSecretPrevious, 'mailed tokens'));
  const openInvitations = new OpenInvitationService(db, mailedTokens, asksVerification);
  const teamMemberships = new TeamMembershipService(db, openInvitations, asksVerification);
  const projectMemberships = new ProjectMembershipService(db, asksVerification);
  const memberships = { team: teamMemberships, project: projectMemberships };
  const feed = new NotificationFeed({ db, redis, subscriber: on.subscriber, log });
  const notifications = new NotificationService({ db, tiers, members: projectMemberships, feed });
  const inviting = new InvitingService({ db, tiers, invitations: openInvitations, memberships });
  const transfers = new TransferService({ db, tiers, memberships: projectMemberships, inviting, invitations: openInvitations });
  const commentDeletion = new CommentDeletionService(db);
  const arrivals = new Arrivals(storage);
  const attachmentErasing = new AttachmentErasing(db, storage);
  const completing = new Completing({ db, arrivals, erasing: attachmentErasing });
  const vault = createVault(env.encryptionKey, env.encryptionKeyPrevious);
  const outgoing = createOutgoing(outgoingRules(env));
  const webhooks = new WebhookService({ db, clock, tiers, vault, rules: outgoing.rules });
  const changes = new AccountChanges(redis, log);
  const accountData = createAccountData({
    db, clock, log, storage, sessions, teamMemberships, passwords: proofs.passwords, previews: previewEndings, projectErasures, projectStages: stagesOfProject,
    administrators: new Administrators(db), announce: (userId) => changes.told(userId),
  });
  const mailTemplates: MailTemplate[] = [notificationMails(db, asksVerification), digestTemplate(db, asksVerification), ...proofs.templates, ...invitationMails(db, mailedTokens, env.baseUrl), ...accountData.templates];
  const sweeps: Sweep[] = [
    ...jobSweeps(db),
    ...previewSweeps(db),
    ...expirySweeps(db, storage),
    sweepBlobs(db, storage),
    sweepStrays({ db, storage, clock }),
    sweepIdleSessions(db, live),
    sweepLiveSessions(db, storage),
    sweepSessions(db, storage),
    ...authSweeps(db),
    ...proofs.sweeps,
    sweepInvitations(db),
    notificationSweep(db),
    attachmentErasing.sweep,
    sweepWebhooks(db),
    sweepDeliveries(db),
    ...accountData.sweeps,
    { name: 'idempotency_keys', run: (signal) => sweepIdempotencyKeys(db, signal) },
    { name: 'worker_heartbeats', run: (signal) => sweepHeartbeats(db, signal) },
    { name: 'scaling_events', everySeconds: 3_600, run: (signal) => sweepScalingEvents(db, signal) },
  ];
  const swept = scheduledSweeps(sweeps, log);
  return {
    handlers: {
      ...healthHandlers(new HealthService({ db, redis, storage, producer, clock, version, isStopping: on.isStopping })),
      ...authHandlers(auth, refreshes, sessions),
      ...sessionHandlers(sessions),
      ...linkHandlers(new SessionTokenService(db, signIns), deviceLinks),
      ...proofs.handlers,
      ...userHandlers({
        users: new UserService(db),
        preferences: new PreferenceService(db, notifications),
        usage: new UsageService({ clock, tiers, projects, previews, apiKeys, notifications, requests: requestUse(redis), streams: streamUse(redis) }),
        people: new PeopleService(db, asksVerification),
      }),
      ...accountData.handlers,
      ...apiKeyHandlers(apiKeys),
      ...tierHandlers(tiers),
      ...adminHandlers(new AdminUserService(db), new StandingService({ db, clock, log, redis, sessions, previewEndings })),
      ...projectHandlers(projects, templates),
      ...projectTagHandlers({ tags: new ProjectTagService(db), favorites: new FavoriteService(db), activity: new ActivityService(db) }),
      ...projectMemberHandlers(new ProjectMemberService({ db, memberships: projectMemberships, inviting, invitations: openInvitations }), transfers),
      ...teamHandlers(new TeamService(db), new TeamMemberService({ db, memberships: teamMemberships, inviting, invitations: openInvitations })),
      ...invitationHandlers(new InvitationService({ db, inviting, transfers, memberships })),
      ...notificationHandlers(new InboxService(db), new NotificationStream(db, tiers, feed)),
      ...taskHandlers({
        tasks: new TaskService({ db, members: projectMemberships, erasing: attachmentErasing, comments: commentDeletion }),
        labels: new LabelService(db),
        dependencies: new DependencyService(db),
        attachments: new AttachmentService({ db, storage, arrivals, completing, erasing: attachmentErasing }),
      }),
      ...commentHandlers({ comments: new CommentService({ db, members: projectMemberships }), deletion: commentDeletion, stars: new CommentStarService(db) }),
      ...searchHandlers(new SearchService(db, redis)),
      ...previewHandlers(previews, new PreviewJobService({ db, storage, tokens: desk, kind, comments: commentDeletion, endings: previewEndings }), new PreviewStream(db, watch)),
      ...previewSharingHandlers(new PreviewSharingService(db, redis, log)),
      ...previewSessionHandlers(previewSessions, new PreviewUploadService({ db, storage, tiers, sessions: previewSessions, log })),
      ...previewManifestHandlers(new PreviewManifestService({ db, storage, sessions: previewSessions, log, key: manifestKey })),
      ...previewViewHandlers(new PreviewViewService({ db, storage, sessions: previewSessions, tokens: desk, watch })),
      ...liveSessionHandlers(new LiveSessionService({ db, sources, tokens: previewTokens, desk, tiers, kind: live, baseUrl: env.baseUrl }), new LiveStream(db, storage, watch)),
      ...webhookHandlers(webhooks, new WebhookDeliveryService(db, clock)),
      ...workerHandlers(new WorkerService({ db, clock, storage, nodeKeys, kinds: jobKinds, heartbeats, watch })),
      ...jobAdminHandlers({
        nodes: new WorkerNodeService(db, heartbeats), queues: new QueueService(queueStatistics), deadJobs: new DeadJobService(db, jobKinds),
        previews: new PreviewStatisticsService(db, clock), scaling: new ScalingService(db, env.scalingDriver),
      }),
    },
    kinds: jobKinds,
    consumers: combineConsumers(notificationConsumers({ db, notifications, members: projectMemberships, projects }), webhookConsumers(db), new Map<string, EventConsumer>([
      ['session.revoked', (event) => revocations.again(event)],
      ['user.suspended', (event) => revocations.again(event)],
      ['user.deleted', (event) => revocations.again(event)],
      ['api_key.revoked', (event) => revocations.again(event)],
      ['invitation.created', tellInvited(db, notifications, asksVerification)],
      ['invitation.accepted', tellInviter(notifications)],
      ['project.transferred', tellTransfer(notifications)],
      ['alert.raised', logAlert(log)],
    ])),
    systemKinds: [mailKind(mailTemplates, on.mailer, log), ...proofs.systemKinds, ...accountData.kinds, ...projectErasures.kinds, attachmentErasing.kind, dueSoonKind(db, notifications, feed), digestKind(db), ...swept.kinds],
    schedules: [...accountData.schedules, ...projectErasures.schedules, dueSoonSchedule, digestSchedule, ...swept.schedules],
    tiers,
    queueStatistics,
    lastSeen,
    webhookSender: new WebhookSender({ db, outgoing, vault, log }),
    credentials: new Credentials(db, asksVerification, lastSeen),
    nodeKeys,
    accessTokens,
    previewTokens,
  };
}
