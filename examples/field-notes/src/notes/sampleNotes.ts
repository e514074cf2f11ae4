import type { Note } from './note';

export const sampleNotes: readonly Note[] = [
  {
    id: 'linden',
    title: 'Linden in flower',
    body: 'The whole avenue hums. Mostly honey bees, a few hoverflies higher up.',
    place: 'Mill Lane',
    kind: 'plant',
    seenAt: Date.UTC(2026, 5, 20, 9, 30),
  },
  {
    id: 'mason-bee',
    title: 'Mason bees at the south wall',
    body: 'Eleven tubes sealed since Sunday. They fly from about fourteen degrees.',
    place: 'Garden',
    kind: 'insect',
    seenAt: Date.UTC(2026, 3, 11, 13, 5),
  },
  {
    id: 'kingfisher',
    title: 'Kingfisher by the weir',
    body: 'Twice upstream, once back with a fish. Sits on the third post.',
    place: 'Weir',
    kind: 'bird',
    seenAt: Date.UTC(2026, 2, 2, 7, 50),
  },
];
