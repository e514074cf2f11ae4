/** What an account's data are to it: the copy it can take along, and how they are erased when it ends. Part of services.ts. */
import { apiKeyRows } from '#domains/apikeys/erasure.ts';
import { apiKeySection } from '#domains/apikeys/export.ts';
import { ApiKeyRevocationService } from '#domains/apikeys/revocation-service.ts';
import { auditRows } from '#domains/audit/erasure.ts';
import { auditSection } from '#domains/audit/export.ts';
import { signIns } from '#domains/auth/erasure.ts';
import { signInSections } from '#domains/auth/export.ts';
import { commentTraces } from '#domains/comments/erasure.ts';
import { commentSections } from '#domains/comments/export.ts';
import { invitationRows } from '#domains/invitations/erasure.ts';
import { invitationSection } from '#domains/invitations/export.ts';
import { notificationRows } from '#domains/notifications/erasure.ts';
import { notificationSection } from '#domains/notifications/export.ts';
import type { ErasureStage, ExportFiles, ExportSection } from '#domains/personal-data.ts';
import type { ProjectErasureStage } from '#domains/project-data.ts';
import { previewShares, previewTokens } from '#domains/previews/erasure.ts';
import { liveSessions } from '#domains/previews/live-clean-up.ts';
import { previewFiles, previewSections } from '#domains/previews/export.ts';
import { previewClientSessions } from '#domains/previews/sessions-clean-up.ts';
import { ProjectDepartureService } from '#domains/projects/departure-service.ts';
import type { ProjectErasures } from '#domains/projects/erasures.ts';
import { memberships, projectsOf } from '#domains/projects/erasure-service.ts';
import { projectSections } from '#domains/projects/export.ts';
import { taskFiles, taskSections } from '#domains/tasks/export.ts';
import { TeamDepartureService } from '#domains/teams/departure-service.ts';
import type { TeamMembershipService } from '#domains/teams/membership-service.ts';
import { deletionHandlers } from '#domains/users/deletion-handlers.ts';
import { accountDeletedMail } from '#domains/users/deletion-mail.ts';
import { AccountDeletionService, type DeletionDependencies } from '#domains/users/deletion-service.ts';
import { AccountErasures } from '#domains/users/erasures.ts';
import { accountSections } from '#domains/users/export.ts';
import { exportHandlers } from '#domains/users/export-handlers.ts';
import { DataExportService } from '#domains/users/export-service.ts';
import { webhookSection } from '#domains/webhooks/export.ts';
import type { Handlers } from '#generated/server/handlers.gen.ts';
import { idempotencyErasure } from '#http/idempotency/erasure.ts';
import { jobErasure } from '#jobs/erasure.ts';
import type { MailTemplate } from '#jobs/mail-job.ts';
import type { ScheduledJob, Sweep } from '#jobs/scheduled.ts';
import type { SystemJobKind } from '#jobs/system-jobs.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';

export interface AccountDataDependencies extends Pick<DeletionDependencies, 'passwords' | 'sessions' | 'previews' | 'administrators' | 'announce'> {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly storage: ObjectStorage;
  readonly teamMemberships: TeamMembershipService;
  readonly projectErasures: ProjectErasures;
  /** How the account's projects are erased: src/project-data.ts. */
  readonly projectStages: readonly ProjectErasureStage[];
}

export interface AccountData {
  readonly handlers: Pick<Handlers, 'requestAccountDeletion' | 'requestDataExport' | 'getDataExport'>;
  readonly templates: readonly MailTemplate[];
  readonly sweeps: readonly Sweep[];
  readonly kinds: readonly SystemJobKind[];
  readonly schedules: readonly ScheduledJob[];
}

/** The sections of an export, in the order of the archive's index. */
const sectionsOf = (db: Database): ExportSection[] => [
  ...accountSections(db), ...signInSections(db), apiKeySection(db), ...projectSections(db), invitationSection(db), ...taskSections(db), ...commentSections(db), ...previewSections(db), webhookSection(db), notificationSection(db), auditSection(db),
];
const filesOf = (db: Database, storage: ObjectStorage): ExportFiles[] => [previewFiles(db, storage), taskFiles(db, storage)];

/** In this order: what points to something goes before it; the audit after the projects it tells of. */
export const erasureStages = (db: Database, ofProject: readonly ProjectErasureStage[], exports: Pick<DataExportService, 'erasure'>, storage: ObjectStorage): ErasureStage[] => [
  projectsOf(db, ofProject), exports.erasure, previewTokens(db), previewShares(db), previewClientSessions(db, storage), liveSessions(db, storage), commentTraces(db), notificationRows(db), invitationRows(db), idempotencyErasure(db), apiKeyRows(db), signIns(db),
  memberships(db), jobErasure(db), auditRows(db),
];

export function createAccountData(on: AccountDataDependencies): AccountData {
  const { db, clock, log, storage, teamMemberships, projectErasures, projectStages, ...rest } = on;
  const exports = new DataExportService({ db, clock, storage, sections: sectionsOf(db), files: filesOf(db, storage) });
  const erasures = new AccountErasures(db, erasureStages(db, projectStages, exports, storage), log);
  const deletion = new AccountDeletionService({
    ...rest, db, log, erasures, apiKeys: new ApiKeyRevocationService(), teams: new TeamDepartureService(db, teamMemberships), projects: new ProjectDepartureService(projectErasures),
  });
  return {
    handlers: { ...deletionHandlers(deletion), ...exportHandlers(exports) },
    templates: [accountDeletedMail],
    sweeps: [exports.sweep],
    kinds: [exports.kind, ...erasures.kinds],
    schedules: erasures.schedules,
  };
}
