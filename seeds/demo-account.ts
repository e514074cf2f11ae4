/** Whom to sign in as on a machine of one's own, and the project that is previewed first. */
import { projects } from './demo-company.ts';

/** The others of the company have the same password. */
export const demoAccount = { email: 'ada@example.com', username: 'ada', password: 'notes-taken-outdoors' } as const;
export const demoProject = { name: projects.notes.name, description: projects.notes.description } as const;

/** What every start says of it. */
export const signInAs = `${demoAccount.email}, password "${demoAccount.password}" (so have ben@, chiara@, dalia@, emil@, finn@, grace@ and hugo@)`;
