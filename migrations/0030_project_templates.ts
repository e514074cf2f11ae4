import type { Knex } from 'knex';

interface Template {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly settings: Record<string, unknown>;
  readonly labels: readonly (readonly [name: string, color: string])[];
  readonly tasks: readonly (readonly [title: string, description: string | null, ...labels: string[]])[];
}

/** Those that are shipped; operators change, hide and add others. Their ids are for good. */
const shipped: readonly Template[] = [
  {
    id: '01940000-0000-7000-8000-000000000001',
    name: 'Empty app',
    description: 'Nothing but the labels that nearly every app comes to have.',
    settings: {},
    labels: [['bug', '#d73a4a'], ['feature', '#0e8a16'], ['question', '#7057ff']],
    tasks: [],
  },
  {
    id: '01940000-0000-7000-8000-000000000002',
    name: 'Mobile app',
    description: 'From the first screen on a phone to people who test it: what a React Native app needs on the way.',
    settings: { preview: { target_platform: 'ios', environment: 'development', dev: true } },
    labels: [['bug', '#d73a4a'], ['feature', '#0e8a16'], ['design', '#7057ff'], ['setup', '#1d76db'], ['testing', '#fbca04']],
    tasks: [
      ['Show the first screen on a phone', 'Build a preview of the project and open it on a phone of each platform you mean to support. What does not work here will not work later.', 'setup'],
      ['Choose how screens are reached', 'Tabs, a stack, or both; what a link from outside opens, and what the back button does on Android.', 'design', 'setup'],
      ['Agree on colours, type and spacing', 'One file of tokens that every screen takes its values from, for light and dark mode.', 'design'],
      ['Sign in and stay signed in', 'Tokens lie in the secure store of the phone, never in AsyncStorage. Say what happens when one has expired in the middle of something.', 'feature'],
      ['Work without a connection', 'Decide for each screen what it shows offline, and what becomes of what somebody enters there.', 'feature'],
      ['Show errors that people understand', 'An error boundary for each screen, a way to try again, and a report that reaches the team.', 'feature'],
      ['Check text sizes, contrast and screen readers', 'Largest text size of the system, VoiceOver and TalkBack on the three most used screens.', 'design', 'testing'],
      ['Write tests for what must never break', 'Signing in, paying, losing the connection: each as a test that runs with every change.', 'testing'],
      ['Measure the start on a slow phone', 'Cold start to first content on the oldest phone you support. Write the number down, so that it is noticed when it grows.', 'testing'],
      ['Invite the first testers', 'Five people outside the team, with one question each: where did you hesitate?', 'testing'],
    ],
  },
  {
    id: '01940000-0000-7000-8000-000000000003',
    name: 'Design review',
    description: 'A round of review on real phones: what is shown, what is said about it, and what comes of it.',
    settings: { preview: { environment: 'staging' } },
    labels: [['layout', '#1d76db'], ['wording', '#0e8a16'], ['accessibility', '#7057ff'], ['blocking', '#d73a4a'], ['polish', '#fbca04']],
    tasks: [
      ['Build the preview to be reviewed', 'From the branch under review, in the staging environment. Put its link into the description of this task.', 'blocking'],
      ['Invite the reviewers', 'One who designs, one who builds, one who has not seen it yet.'],
      ['Look at every screen in light and dark mode', 'Comment on the screen it is about; one comment for each finding.', 'layout'],
      ['Read every word aloud', 'Buttons say what happens. Errors say what to do.', 'wording'],
      ['Try the largest text size and a screen reader', null, 'accessibility'],
      ['Try a small and a large phone, upright and on its side', null, 'layout'],
      ['Decide on each finding', 'Fix now, fix later, leave: with a name to each that is to be fixed.', 'blocking'],
      ['Show the changed screens once more', null, 'polish'],
    ],
  },
  {
    id: '01940000-0000-7000-8000-000000000004',
    name: 'Store release',
    description: 'Everything between "it works" and "it can be installed", for both stores.',
    settings: { preview: { environment: 'production', dev: false } },
    labels: [['ios', '#1d76db'], ['android', '#0e8a16'], ['legal', '#7057ff'], ['marketing', '#fbca04'], ['blocking', '#d73a4a']],
    tasks: [
      ['Raise the version and write what is new', 'In words of the people who use it, not of those who built it.', 'marketing'],
      ['Build with the settings of production', 'No development server, no test accounts, no verbose logs.', 'blocking'],
      ['Take screenshots in every size the stores ask for', null, 'marketing', 'ios', 'android'],
      ['Answer the questions about privacy', 'Data that is collected, by whom, what for. Third-party SDKs count too.', 'legal', 'ios', 'android'],
      ['Check licences of what is shipped', null, 'legal'],
      ['Try the update over the version that people have', 'Their data must be there afterwards, and they must still be signed in.', 'blocking', 'ios', 'android'],
      ['Send it to TestFlight', null, 'ios'],
      ['Send it to the internal track of Play', null, 'android'],
      ['Release to a few people first', 'One in ten for two days. Look at crashes before you go on.', 'android', 'ios'],
      ['Say who looks at crashes in the first week', null, 'blocking'],
    ],
  },
  {
    id: '01940000-0000-7000-8000-000000000005',
    name: 'Bug bash',
    description: 'An afternoon of looking for faults together, and what it takes to be worth it.',
    settings: {},
    labels: [['crash', '#d73a4a'], ['visual', '#7057ff'], ['slow', '#fbca04'], ['cannot repeat', '#cfd3d7'], ['fixed', '#0e8a16']],
    tasks: [
      ['Choose what is looked at', 'Three areas, and what is not part of it.'],
      ['Build one preview for everybody', 'The same build for all, so that findings can be compared.'],
      ['Agree how a finding is written down', 'What I did, what I saw, what I expected, which phone. One task each.'],
      ['Sort the findings', 'Same day, everybody present. What nobody can repeat twice is labelled as that.', 'cannot repeat'],
      ['Fix what crashes', null, 'crash'],
      ['Tell everybody what came of it', null, 'fixed'],
    ],
  },
];

const rowOf = ({ id, name, description, settings, labels, tasks }: Template, position: number): Record<string, unknown> => ({
  id, name, description, framework: 'react_native', position: (position + 1) * 10,
  settings: JSON.stringify(settings),
  labels: JSON.stringify(labels.map(([label, color]) => ({ name: label, color }))),
  tasks: JSON.stringify(tasks.map(([title, text, ...carries]) => ({ title, description: text, labels: carries }))),
});

/** What a new project may start with: settings, labels and tasks, as they are then. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    create table project_templates (
      id uuid primary key,
      name text not null check (length(name) between 1 and 120),
      description text check (length(description) <= 4000),
      framework text not null default 'react_native' check (length(framework) between 2 and 40 and framework ~ '^[a-z][a-z0-9_]*$'),
      settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
      labels jsonb not null default '[]' check (jsonb_typeof(labels) = 'array' and jsonb_array_length(labels) <= 50),
      tasks jsonb not null default '[]' check (jsonb_typeof(tasks) = 'array' and jsonb_array_length(tasks) <= 100),
      -- Lowest first.
      position integer not null,
      -- One that is not is neither listed nor taken any more.
      is_active boolean not null default true,
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create unique index project_templates_name_key on project_templates (lower(name)) where is_active;
    create index project_templates_position_idx on project_templates (position, id) where is_active;
    create trigger project_templates_touch before update on project_templates for each row execute function touch_row();
  `);
  await knex('project_templates').insert(shipped.map(rowOf));
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table project_templates;
  `);
}
