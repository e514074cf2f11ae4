/**
 * The company of the demo: eight people who make apps for the outdoors. Days and hours count back from the moment of the
 * seed, days of `due` forward, so that whoever starts it sees a company in the middle of its work.
 */

export type PersonKey = 'ada' | 'ben' | 'chiara' | 'dalia' | 'emil' | 'finn' | 'grace' | 'hugo';
export type TeamKey = 'apps' | 'design';
export type ProjectKey = 'notes' | 'trails' | 'kit' | 'booking' | 'snow' | 'huts';
export type TaskStatus = 'todo' | 'in_progress' | 'in_review' | 'done' | 'cancelled';

export const people: Readonly<Record<PersonKey, { readonly name: string; readonly tier: 'free' | 'pro' }>> = {
  ada: { name: 'Ada Park', tier: 'pro' },
  ben: { name: 'Ben Okafor', tier: 'pro' },
  chiara: { name: 'Chiara Moretti', tier: 'pro' },
  dalia: { name: 'Dalia Haddad', tier: 'free' },
  emil: { name: 'Emil Sandberg', tier: 'free' },
  finn: { name: 'Finn Walsh', tier: 'free' },
  grace: { name: 'Grace Lim', tier: 'free' },
  hugo: { name: 'Hugo Martins', tier: 'pro' },
};

export const teams: Readonly<Record<TeamKey, {
  readonly name: string; readonly owner: PersonKey; readonly days: number;
  readonly members: readonly (readonly [PersonKey, 'Owner' | 'Admin' | 'Member'])[];
}>> = {
  apps: { name: 'Larkspur Apps', owner: 'ada', days: 240, members: [['ada', 'Owner'], ['ben', 'Admin'], ['chiara', 'Member'], ['dalia', 'Member'], ['emil', 'Member'], ['finn', 'Member'], ['grace', 'Member']] },
  design: { name: 'Larkspur Design', owner: 'chiara', days: 200, members: [['chiara', 'Owner'], ['ada', 'Admin'], ['finn', 'Member']] },
};

interface DemoProject {
  readonly name: string; readonly description: string; readonly owner: PersonKey; readonly team: TeamKey | null; readonly days: number; readonly isArchived?: true;
  readonly metadata: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly members?: readonly PersonKey[];
  readonly favoriteOf: readonly PersonKey[];
  readonly tags: readonly (readonly [name: string, color: string])[];
  readonly labels: readonly (readonly [name: string, color: string])[];
}

const [red, green, blue, purple, yellow, grey] = ['#d73a4a', '#0e8a16', '#1d76db', '#7057ff', '#fbca04', '#8b949e'] as const;

export const projects: Readonly<Record<ProjectKey, DemoProject>> = {
  notes: {
    name: 'Field Notes', description: 'Notes taken outdoors, with pictures.', owner: 'ada', team: 'apps', days: 21, metadata: { repository: 'field-notes' },
    favoriteOf: ['ada', 'ben'], tags: [['mobile', '#f2a900'], ['2.0', blue]], labels: [['bug', red], ['feature', green], ['design', purple], ['offline', blue], ['performance', yellow]],
  },
  trails: {
    name: 'Trail Guide', description: 'Maps and routes that work where there is no signal.', owner: 'ben', team: 'apps', days: 60, metadata: { repository: 'trail-guide' },
    settings: { preview: { target_platform: 'android', dev: true } }, favoriteOf: ['ben', 'finn'], tags: [['mobile', '#f2a900'], ['maps', green]],
    labels: [['bug', red], ['feature', green], ['map', blue], ['gps', purple], ['release', yellow]],
  },
  kit: {
    name: 'Design Kit', description: 'Colours, type and components that all our apps are made of.', owner: 'chiara', team: 'design', days: 90, metadata: { repository: 'design-kit' },
    favoriteOf: ['ada', 'chiara'], tags: [['design', purple]], labels: [['component', blue], ['token', purple], ['accessibility', green], ['docs', grey]],
  },
  booking: {
    name: 'Basecamp Booking', description: 'Beds in mountain huts, booked from a phone. For the Alpine association.', owner: 'ada', team: null, days: 40, metadata: { client: 'Alpine association' },
    settings: { preview: { environment: 'staging' } }, members: ['grace', 'hugo', 'dalia'], favoriteOf: ['grace'], tags: [['client', red]], labels: [['client', yellow], ['payment', red], ['content', grey]],
  },
  snow: {
    name: 'Snowline', description: 'Avalanche bulletins on the lock screen. Finished with the season.', owner: 'ada', team: 'apps', days: 230, isArchived: true, metadata: { repository: 'snowline' },
    favoriteOf: [], tags: [['mobile', '#f2a900']], labels: [['feature', green], ['bug', red]],
  },
  huts: {
    name: 'Hut Finder', description: 'A study: which hut is open, and who has the key.', owner: 'hugo', team: null, days: 6, metadata: {}, favoriteOf: ['hugo'], tags: [], labels: [['idea', purple]],
  },
};

/** Who waits for an answer. Iris has no account yet. */
export const invitations = [
  { to: 'ada', by: 'hugo', project: 'huts', role: 'member', hours: 5 },
  { to: 'emil', by: 'chiara', team: 'design', role: 'member', hours: 28 },
  { email: 'iris@example.com', by: 'ada', team: 'apps', role: 'member', hours: 50 },
] as const satisfies readonly { to?: PersonKey; email?: string; by: PersonKey; project?: ProjectKey; team?: TeamKey; role: 'member'; hours: number }[];
