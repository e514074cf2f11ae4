/** What the company has to do and what it has done, a line a task. */
import type { PersonKey, ProjectKey, TaskStatus } from './demo-company.ts';

export interface DemoTask {
  readonly key: string;
  readonly project: ProjectKey;
  readonly title: string;
  readonly status: TaskStatus;
  readonly by: PersonKey;
  readonly to: PersonKey | null;
  /** How many days ago it was made, and last changed. */
  readonly made: number;
  readonly changed: number;
  /** In how many days it is due; negative where that is over. */
  readonly due: number | null;
  readonly labels: readonly string[];
  readonly after: readonly string[];
  readonly text: string | null;
}

const texts: Readonly<Record<string, string>> = {
  n1: 'A note that is written without a signal must be there when the app is opened again, and must reach the server by itself later.\n\n- write into SQLite first\n- one queue of what is to be sent\n- show what is not sent yet',
  n2: 'Two phones, one note, both offline. Today the later one wins and the other is lost without a word.',
  n4: 'Scrolling 400 notes with pictures drops to 20 frames on the Pixel 4a. The list decodes every picture in full size.',
  n7: 'Rows jump when the keyboard opens on Android 14. Steps: open any note, tap the last line.',
  t2: 'Tiles of a region are 300–900 MB. Ask before loading over mobile data, go on where it was cut off, and say how long it takes.',
  t5: 'After 20 minutes in a pocket the recorded track has holes of up to 400 m. Doze mode seems to stop the location task.',
  k3: 'Contrast of the secondary text is 3.9:1 in dark mode. 4.5:1 is what we promised.',
  b2: 'The association wants SEPA and cards. No card number may ever reach our servers.',
};

type Line = readonly [key: string, title: string, status: TaskStatus, by: PersonKey, to: PersonKey | null, made: number, changed: number, due: number | null, labels?: string, after?: string];

const of = (project: ProjectKey, lines: readonly Line[]): DemoTask[] => lines.map(([key, title, status, by, to, made, changed, due, labels = '', after = '']) => ({
  key, project, title, status, by, to, made, changed, due, labels: labels.split(' ').filter(Boolean), after: after.split(' ').filter(Boolean), text: texts[key] ?? null,
}));

export const tasks: readonly DemoTask[] = [
  ...of('notes', [
    ['n1', 'Keep notes while there is no signal', 'in_progress', 'ada', 'ben', 18, 0.2, 4, 'feature offline', 'n3'],
    ['n2', 'Merge two versions of one note', 'todo', 'ben', 'dalia', 15, 3, 9, 'feature offline', 'n1'],
    ['n3', 'Move storage of notes to SQLite', 'done', 'ben', 'ben', 20, 6, -7, 'offline performance'],
    ['n4', 'Scroll a long list without dropping frames', 'in_progress', 'emil', 'finn', 12, 0.5, 1, 'bug performance'],
    ['n5', 'Take a picture from inside a note', 'done', 'ada', 'finn', 19, 8, -8, 'feature'],
    ['n6', 'Draw on a picture', 'todo', 'chiara', null, 10, 10, null, 'feature design'],
    ['n7', 'Keyboard covers the last line on Android', 'in_review', 'emil', 'finn', 6, 0.3, 0.8, 'bug'],
    ['n8', 'Dark mode for the editor', 'in_review', 'chiara', 'ada', 9, 1, 2, 'design'],
    ['n9', 'Search notes by what is in them', 'todo', 'grace', 'dalia', 8, 8, 12, 'feature'],
    ['n10', 'Export a trip as PDF', 'todo', 'grace', null, 7, 7, null, 'feature'],
    ['n11', 'Crash when a note has no title', 'done', 'emil', 'ben', 5, 3, -2, 'bug'],
    ['n12', 'Say what leaves the phone and when', 'todo', 'ada', 'grace', 5, 2, 6, 'design'],
    ['n13', 'Show who else is in a shared notebook', 'todo', 'ada', 'chiara', 4, 4, 15, 'feature design'],
    ['n14', 'Measure cold start on five phones', 'done', 'ada', 'emil', 14, 9, -9, 'performance'],
    ['n15', 'Release 2.0 to testers', 'todo', 'ada', 'ada', 16, 1, 11, '', 'n1 n4 n7 n8'],
    ['n16', 'Widget with the last note', 'cancelled', 'finn', null, 17, 11, null, 'feature'],
  ]),
  ...of('trails', [
    ['t1', 'Draw a route by tapping on the map', 'done', 'ben', 'finn', 55, 30, -28, 'feature map'],
    ['t2', 'Load a region before the hike', 'in_progress', 'ben', 'dalia', 30, 1, 5, 'feature map'],
    ['t3', 'Turn the map with the compass', 'todo', 'finn', 'finn', 21, 21, 14, 'feature gps'],
    ['t4', 'Show how steep it gets', 'in_review', 'ada', 'ben', 26, 0.6, 1.5, 'feature map', 't1'],
    ['t5', 'Track has holes when the phone sleeps', 'in_progress', 'emil', 'ben', 11, 0.4, -1, 'bug gps'],
    ['t6', 'Import GPX of other apps', 'done', 'grace', 'dalia', 40, 12, -10, 'feature'],
    ['t7', 'Warn before the battery is gone', 'todo', 'ada', null, 9, 9, null, 'feature gps'],
    ['t8', 'Labels of lakes overlap at low zoom', 'todo', 'emil', 'finn', 7, 7, 10, 'bug map'],
    ['t9', 'Translate into German and Italian', 'in_progress', 'grace', 'chiara', 13, 2, 8, 'release'],
    ['t10', 'Screenshots for both stores', 'todo', 'grace', 'chiara', 6, 6, 16, 'release', 't4 t9'],
    ['t11', 'Release 1.4', 'todo', 'ben', 'ben', 12, 5, 20, 'release', 't2 t5 t10'],
    ['t12', 'Share a position by message', 'done', 'ada', 'finn', 33, 18, -17, 'feature gps'],
  ]),
  ...of('kit', [
    ['k1', 'Name every colour by what it is for', 'done', 'chiara', 'chiara', 80, 60, -60, 'token'],
    ['k2', 'Tokens for dark mode', 'done', 'chiara', 'ada', 45, 10, -11, 'token'],
    ['k3', 'Secondary text is too pale in dark mode', 'in_progress', 'ada', 'chiara', 8, 0.7, 3, 'token accessibility', 'k2'],
    ['k4', 'Button in three sizes', 'done', 'chiara', 'finn', 50, 35, -33, 'component'],
    ['k5', 'Sheet that opens from below', 'in_review', 'finn', 'finn', 16, 1.2, 2, 'component'],
    ['k6', 'Every component with a screen reader', 'todo', 'ada', 'finn', 14, 14, 18, 'accessibility', 'k5'],
    ['k7', 'A page for each component', 'todo', 'chiara', null, 20, 20, null, 'docs'],
    ['k8', 'Icons as one font instead of 60 pictures', 'todo', 'finn', 'chiara', 5, 5, 13, 'component'],
    ['k9', 'Spacing of eight points everywhere', 'in_progress', 'chiara', 'ada', 10, 2, -2, 'token'],
  ]),
  ...of('booking', [
    ['b1', 'Calendar of free beds', 'done', 'ada', 'hugo', 38, 15, -14, 'client'],
    ['b2', 'Pay by card and SEPA', 'in_progress', 'ada', 'dalia', 25, 0.9, 6, 'payment'],
    ['b3', 'Texts of the association in three languages', 'in_progress', 'grace', 'grace', 20, 3, 4, 'content'],
    ['b4', 'Cancel a booking and get the money back', 'todo', 'grace', 'dalia', 12, 12, 17, 'payment', 'b2'],
    ['b5', 'Show the hut warden who comes tonight', 'todo', 'hugo', 'hugo', 9, 4, 10, 'client', 'b1'],
    ['b6', 'Ask the association about groups of 20', 'in_review', 'grace', 'ada', 4, 1, 0.6, 'client'],
  ]),
  ...of('snow', [
    ['s1', 'Bulletin on the lock screen', 'done', 'ada', 'ben', 225, 180, -178, 'feature'],
    ['s2', 'Wrong region after a flight', 'done', 'emil', 'ben', 190, 150, null, 'bug'],
    ['s3', 'Colours of the danger scale', 'done', 'ada', 'ada', 210, 170, null, 'feature'],
    ['s4', 'Apple Watch face', 'cancelled', 'ben', null, 200, 120, null, 'feature'],
  ]),
  ...of('huts', [
    ['h1', 'List the huts with a winter room', 'in_progress', 'hugo', 'hugo', 5, 1, 7, 'idea'],
    ['h2', 'Ask three wardens what they would want', 'todo', 'hugo', null, 4, 4, null, 'idea'],
  ]),
];
