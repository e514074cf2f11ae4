/** What is erased of a project when it was deleted, by itself or with its account. Part of services.ts. */
import { projectComments } from '#domains/comments/erasure.ts';
import { projectInvitations } from '#domains/invitations/erasure.ts';
import { projectNotifications } from '#domains/notifications/erasure.ts';
import type { PreviewEndingService } from '#domains/previews/ending-service.ts';
import { projectBuilds, projectPreviews } from '#domains/previews/erasure.ts';
import type { ProjectErasureStage } from '#domains/project-data.ts';
import { projectMembers, projectObjects, projectRow } from '#domains/projects/erasure-service.ts';
import { projectTasks } from '#domains/tasks/erasure.ts';
import { projectWebhooks } from '#domains/webhooks/erasure.ts';
import type { Database } from '#platform/database.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';

/** In this order: builds first, so that nothing is made any more; what points to something before it; the row at last. */
export const projectStages = (db: Database, storage: ObjectStorage, builds: PreviewEndingService): ProjectErasureStage[] => [
  projectBuilds(db, builds), projectObjects(storage), projectComments(db), projectPreviews(db), projectTasks(db), projectNotifications(db), projectInvitations(db), projectWebhooks(db),
  projectMembers(db), projectRow(db),
];
