import { Model } from 'objection';

/** A row of `projects`. Rules live in the service; this only knows the table. */
export class ProjectModel extends Model {
  static override tableName = 'projects';
  static override jsonAttributes = ['metadata', 'settings'];

  declare id: string;
  declare owner_id: string;
  declare team_id: string | null;
  declare name: string;
  declare description: string | null;
  declare metadata: Record<string, unknown>;
  declare settings: Record<string, unknown>;
  declare row_version: number;
  declare created_at: string;
  declare updated_at: string;
  declare archived_at: string | null;
  declare deleted_at: string | null;
}
