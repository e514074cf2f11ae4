/** What the company says about its work. `on`: the key of a task, `project`, or a place in the code. */
import type { PersonKey, ProjectKey } from './demo-company.ts';

export interface DemoComment {
  readonly key: string;
  readonly project: ProjectKey;
  readonly on: { readonly task: string } | { readonly code: { readonly path: string; readonly line_start: number; readonly line_end: number } } | 'project';
  readonly by: PersonKey;
  readonly hours: number;
  readonly body: string;
  /** The key of the comment it answers. */
  readonly to: string | null;
  readonly stars: readonly PersonKey[];
}

type Line = readonly [key: string, by: PersonKey, hours: number, body: string, to?: string | null, ...stars: PersonKey[]];

const thread = (project: ProjectKey, on: DemoComment['on'], lines: readonly Line[]): DemoComment[] =>
  lines.map(([key, by, hours, body, to = null, ...stars]) => ({ key, project, on, by, hours, body, to, stars }));
const onTask = (project: ProjectKey, task: string, lines: readonly Line[]): DemoComment[] => thread(project, { task }, lines);

export const comments: readonly DemoComment[] = [
  ...onTask('notes', 'n1', [
    ['c1', 'ben', 52, 'Writing into SQLite first works. What is open: what do we show while the queue is not empty?'],
    ['c2', 'ada', 50, 'A small dot at the note, nothing that blinks. @ben can you show it in a preview?', 'c1', 'ben'],
    ['c3', 'ben', 26, 'It is in the preview of this morning. Airplane mode on, write, airplane mode off: the dot goes after two seconds.', 'c2', 'ada', 'emil'],
    ['c4', 'emil', 4, 'Tried it in the tunnel of the S-Bahn. One note of twelve came twice. @ben the queue sends again before the first answer is there.', 'c3'],
    ['c5', 'ben', 3, 'Good find. An Idempotency-Key for each note, made when it is written, will do.', 'c4', 'emil', 'dalia'],
  ]),
  ...onTask('notes', 'n2', [
    ['c6', 'dalia', 70, 'I would keep both versions and let the person choose, line by line.'],
    ['c7', 'ada', 69, 'Line by line is for us, not for hikers. @dalia what about taking both, the newer one on top, and a mark between them?', 'c6', 'grace'],
    ['c8', 'grace', 45, 'People write to me about lost notes twice a week. Anything that loses nothing is fine.', 'c7', 'ada'],
  ]),
  ...onTask('notes', 'n4', [
    ['c9', 'finn', 30, 'Thumbnails of 300 px, made when the picture is taken: 58 frames on the Pixel 4a, before it was 21.', null, 'ada', 'ben', 'emil'],
    ['c10', 'emil', 12, 'Same here. Old notes have no thumbnails yet: the first scroll is still slow. @finn make them in the background?', 'c9'],
  ]),
  ...onTask('notes', 'n7', [
    ['c11', 'finn', 9, '`adjustResize` and an inset of the keyboard. Works on 13 and 14, please look at a tablet too.'],
    ['c12', 'emil', 6, 'Tablet is fine. Approved from my side, @ada wants to see it first.', 'c11'],
  ]),
  ...onTask('notes', 'n8', [
    ['c13', 'chiara', 27, '@ada the cursor is still black on black. Everything else is as drawn.'],
  ]),
  ...onTask('notes', 'n15', [
    ['c14', 'ada', 24, 'Four things are left before testers get it. @ben @finn @emil are these the right ones?'],
    ['c15', 'finn', 22, 'Yes. I would take the keyboard out if it takes longer than Thursday.', 'c14', 'ada'],
    ['c16', 'grace', 20, 'Forty people are on the list. I write to them when @ada says so.', 'c14'],
  ]),
  ...thread('notes', { code: { path: 'src/storage/queue.ts', line_start: 41, line_end: 58 } }, [
    ['c17', 'dalia', 40, 'This waits for each note before it sends the next. With twenty notes and a bad line that is a minute.'],
    ['c18', 'ben', 38, 'True. Four at once, in the order they were written for each notebook?', 'c17', 'dalia'],
  ]),
  ...thread('notes', 'project', [
    ['c19', 'ada', 200, 'Goal of 2.0 in one sentence: nobody loses a note, wherever they are.', null, 'ben', 'grace', 'finn', 'dalia'],
  ]),
  ...onTask('trails', 't2', [
    ['c20', 'dalia', 33, 'Going on where it was cut off works with range requests. The tile server answers them, the CDN does not.'],
    ['c21', 'ben', 31, 'Then we ask the server directly for regions. @dalia how much traffic would that be?', 'c20'],
    ['c22', 'dalia', 29, 'About 2 TB a month with what we have now. Affordable.', 'c21', 'ben', 'ada'],
  ]),
  ...onTask('trails', 't5', [
    ['c23', 'ben', 11, 'A foreground service with a notification keeps it alive. People will see that notification for hours.'],
    ['c24', 'ada', 10, 'They will be glad to see that it records. @emil please walk with it for a day.', 'c23', 'ben'],
  ]),
  ...onTask('kit', 'k3', [
    ['c25', 'chiara', 18, 'Raised to #a8b0b8: 5.1:1. It looks heavier than I like, and it is right. @ada fine with you?'],
    ['c26', 'ada', 16, 'Fine. I can read it in the sun now.', 'c25', 'chiara'],
  ]),
  ...onTask('kit', 'k5', [
    ['c27', 'finn', 29, 'Drag, tap outside and the back button all close it. @chiara is the corner radius 16 or 20?'],
  ]),
  ...onTask('booking', 'b2', [
    ['c28', 'dalia', 23, 'Cards go from the phone to the provider, we only ever see a token.', null, 'ada'],
    ['c29', 'hugo', 21, 'The association asks for a receipt with their own number on it. @ada is that part of the offer?', 'c28'],
  ]),
  ...onTask('booking', 'b6', [
    ['c30', 'grace', 25, '@ada they want groups to be asked for by mail, not booked. I would take it.'],
  ]),
];
